"""What the programs of this folder share: flags, the runner, finding each other's runs."""

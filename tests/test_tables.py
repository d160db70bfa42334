"""Tables of files: what their columns are, rows as numbers, and what is wrong named by its line."""
import json

import numpy as np
import pytest
from scipy import stats

from jaxsynth.data import DatasetSpec, open_dataset
from jaxsynth.data.tables import splits, texts
from jaxsynth.data.tables.reading import read_table
from jaxsynth.data.tables.writing import write_csv
from jaxsynth.kinds.columns import Column

PEOPLE = ('age, job, income, born, member, sick\n'
          '31, clerk, 1.5, 2001-12-31, yes, no\n'
          '47, ?, -2e3, 1970-01-01, no, yes\n'
          '\n'
          '52, "smith, black", NA, 1969-12-31, yes, no\n')


def written(tmp_path, text, name='people.csv'):
  (tmp_path / name).write_text(text, encoding='utf-8')
  return tmp_path / name


def test_types_are_inferred_from_all_cells(tmp_path):
  table = read_table(written(tmp_path, PEOPLE), label_column='sick')
  assert table.schema == (
      Column('age', 'integer'), Column('job', 'category', ('clerk', 'smith, black'), True),
      Column('income', 'number', missing=True), Column('born', 'date'),
      Column('member', 'category', ('no', 'yes')))
  np.testing.assert_array_equal(table.rows, np.array(
      [[31, 0, 1.5, 11687, 1], [47, np.nan, -2000, 0, 0], [52, 1, np.nan, -1, 1]], np.float32))
  assert table.labels.tolist() == [0, 1, 0] and table.names == ('no', 'yes')
  assert table.label == ('sick', 5) and table.notes == ()


def test_a_piece_at_a_time_is_the_whole(tmp_path, monkeypatch):
  whole = read_table(written(tmp_path, PEOPLE), label_column='sick')
  pieces = texts.pieces
  monkeypatch.setattr(texts, 'pieces', lambda file: pieces(file, 1))
  some = read_table(tmp_path / 'people.csv', label_column='sick')
  np.testing.assert_array_equal(some.rows, whole.rows)
  assert some.schema == whole.schema and some.labels.tolist() == whole.labels.tolist()


@pytest.mark.parametrize('text, columns', [
    ('a;b\n1;2\n', ['a', 'b']), ('a\tb\n1\t2\n', ['a', 'b']), ('\ufeffa,b\n1,2\n', ['a', 'b']),
    ('| a comment\na,b\n1,2\n', ['a', 'b']), ('# one\n\na,b\n1,2', ['a', 'b'])])
def test_several_ways_to_write_a_table(tmp_path, text, columns):
  table = read_table(written(tmp_path, text))
  assert [x.name for x in table.schema] == columns and table.rows.tolist() == [[1, 2]]


def test_a_schema_names_columns_and_says_what_is_not_inferred(tmp_path):
  path = written(tmp_path, '|1x3 Cross validator\n25, S, Private, <=50K.\n38, M, ?, >50K.\n',
                 'adult.test')
  schema = written(tmp_path, json.dumps(
      ['age', {'name': 'size', 'type': 'ordered', 'categories': ['S', 'M', 'L']}, 'job', 'income']),
      'schema.json')
  table = read_table(path, schema=schema, label_column='income')
  assert table.schema[1] == Column('size', 'ordered', ('S', 'M', 'L'))
  assert table.rows[:, 1].tolist() == [0, 1] and table.names == ('<=50K.', '>50K.')
  people = written(tmp_path, PEOPLE)
  some = read_table(people, schema=written(tmp_path, '["born", "age"]', 'two.json'))
  assert [x.name for x in some.schema] == ['age', 'born']  # in the order of the file
  assert some.notes[0] == 'job: not in the schema, and left out'


def test_another_part_has_the_columns_and_classes_of_the_first(tmp_path):
  first = read_table(written(tmp_path, PEOPLE), label_column='sick')
  rest = 'age,job,income,born,member,sick\n9,clerk,1,2000-01-01,no,yes.\n'
  part = read_table(written(tmp_path, rest, 'test.csv'), like=first)
  assert part.rows.tolist() == [[9, 0, 1, 10957, 0]] and part.labels.tolist() == [1]
  odd = rest + '8,baker,1,2000-01-01,no,no\n'
  with pytest.raises(ValueError, match="test.csv, line 3: job='baker', which is none of the 2"):
    read_table(written(tmp_path, odd, 'test.csv'), like=first)
  part = read_table(tmp_path / 'test.csv', like=first, unseen='drop')
  assert part.dropped == 1 and len(part.rows) == 1
  np.savez(tmp_path / 'test.npz', rows=part.rows, labels=part.labels,
           columns=[x.name for x in first.schema])
  bare = first._replace(label=None)
  np.testing.assert_array_equal(read_table(tmp_path / 'test.npz', like=bare).rows, part.rows)


def test_columns_of_which_nothing_can_be_learned_are_said(tmp_path):
  lines = ['row,name,x,one,none,big,pin']
  lines += [f'{i},n{i},{i / 7},a,,{2 ** 25 + 9 * i},{i * 37 % 101}' for i in range(60)]
  table = read_table(written(tmp_path, '\n'.join(lines)))
  assert [x.name for x in table.schema] == ['x', 'one', 'big', 'pin']
  notes = '\n'.join(table.notes)
  for note in ('row: counts the rows, and left out', 'name: texts of 60 values in 60 rows',
               "one: constant, 'a'", 'none: no values, and left out', 'big: whole numbers up to '
               '33,554,963, of which float32 keeps', 'pin: a whole number of which hardly any'):
    assert note in notes
  kept = read_table(tmp_path / 'people.csv', schema=written(
      tmp_path, '[{"name": "name", "type": "category"}]', 's.json'))
  assert len(kept.schema[0].categories) == 60


@pytest.mark.parametrize('text, given, message', [
    ('a,b\n1,2\n3\n', {}, 'line 3: 1 values, expected 2, one a column'),
    ('a,b\n1,2\n3,4,5\n', {}, 'line 3: 3 values, expected 2'),
    ('a\n1\n2\nx\n', {}, "line 4: a='x', and 66.7% of the column are numbers; mend"),
    ('a\n2001-01-01\n2001-01-02\nx\n', {}, "line 4: a='x', and 66.7% of the column are dates"),
    ('a,b\n1,x\n', {'label_column': 'c'}, '--label_column=c: .* has a, b; name one'),
    ('a,b\n1,x\n2,\n', {'label_column': 'b'}, "line 3: b='', a label that is missing"),
    ('a,b\n1,1.5\n2,2\n', {'label_column': 'b'}, 'has numbers there; expected classes'),
    ('b\nx\ny\n', {'label_column': 'b'}, "no column to learn beside the label 'b'"),
    ('a,b\n', {}, 'no rows below the names'), ('', {}, 'no rows'),
    ('a,a\n1,2\n', {}, r'line 1: .* expected a name of each column, each once'),
    ('1,b\n2,x\n', {}, 'line 1: 1 is no name of a column; a file without a line of names needs'),
    ('a,b\n1,"x\n', {}, 'not a table of text')])
def test_what_is_wrong_is_named_by_its_place(tmp_path, text, given, message):
  path = written(tmp_path, text)
  with pytest.raises(ValueError, match=message) as error:
    read_table(path, **given)
  assert str(path) in str(error.value)


@pytest.mark.parametrize('schema, message', [
    ('[{"name": "a", "type": "integer"}]', "line 3: a='', and the schema says that no value is"),
    ('[{"name": "a", "type": "integer", "missing": true}]', "line 4: a='1.5', expected a whole"),
    ('[{"name": "a", "type": "number", "missing": true}]', "line 5: a='x', expected a number"),
    ('[{"name": "a", "type": "date", "missing": true}]', "line 2: a='7', expected a date as"),
    ('["a", "c"]', "line 1: no column 'c', which the schema has; only a, b"),
    ('["c"]', 'line 1: 2 values, and the schema names 1 columns'),
    ('{"a": 1}', 'expected a list with a name or an object'), ('[', 'not JSON'),
    ('[{"name": "a", "sort": 1}]', "'sort', which no column has"),
    ('[{"name": "a", "type": "ordered"}]', 'type ordered with categories')])
def test_cells_are_held_against_the_schema(tmp_path, schema, message):
  path = written(tmp_path, 'a,b\n7,0\n,0\n1.5,0\nx,0\n')
  with pytest.raises(ValueError, match=message):
    read_table(path, schema=written(tmp_path, schema, 's.json'))


def test_splits_are_decided_by_the_position_alone():
  parts = {name: splits.positions(20_000, name) for name in splits.SPLITS}
  np.testing.assert_array_equal(np.sort(np.concatenate(
      [parts[x] for x in ('train', 'validation', 'test')])), parts['all'])
  np.testing.assert_allclose([len(parts[x]) / 20_000 for x in ('train', 'validation', 'test')],
                             [.8, .1, .1], atol=.009)  # three deviations
  longer = splits.positions(30_000, 'test')
  np.testing.assert_array_equal(longer[:len(parts['test'])], parts['test'])
  assert stats.kstest(parts['test'] / 20_000, 'uniform').pvalue > .01  # no run of neighbours
  assert stats.kstest(splits._shares(20_000), 'uniform').pvalue > .01
  assert [len(splits.positions(400, x)) for x in ('train', 'test')] == [210, 97]
  assert splits.positions(20_000, 'train[5:7]').tolist() == parts['train'][5:7].tolist()
  for split, message in (('first', 'expected train, validation, test, all'),
                         ('test[9000:]', 'no rows; of 20,000')):
    with pytest.raises(ValueError, match=message):
      splits.positions(20_000, split)
  with pytest.raises(ValueError, match='no rows; of 1 of the table'):
    splits.positions(1, 'train')


def test_one_row_is_no_table(tmp_path):
  for name in ('train', 'all'):
    with pytest.raises(ValueError, match='people.csv: one row; expected at least 2'):
      open_dataset(DatasetSpec(str(written(tmp_path, 'a,b\n1,2\n')), name, table=True))


def test_rows_are_written_in_the_words_of_the_file(tmp_path):
  quoted = '"a, b"'
  lines = ['age,sick,born,size,job'] + [
      f'{20 + i % 50},{"no" if i % 3 else "yes"},{1950 + i % 50}-03-0{1 + i % 9},{i % 7 / 10},'
      f'{("clerk", quoted, "")[i % 3]}' for i in range(400)]
  path = written(tmp_path, '\n'.join(lines) + '\n')
  source = open_dataset(DatasetSpec(str(path), 'all', label_column='sick'))
  seen = source.kind.in_model(source.take(np.arange(400)))
  write_csv(tmp_path / 'again.csv', source.kind, source.kind.on_disk(seen['row']), source.labels)
  again = (tmp_path / 'again.csv').read_text().splitlines()
  assert again == lines

"""The house rules notice what breaks them."""

from pathlib import Path

from tests.gates.house import faults_of_migrations


def a_migration(folder: Path, name: str, revision: str, before: str) -> None:
    folder.joinpath(f"{name}.py").write_text(f'revision = "{revision}"\ndown_revision = {before}\n')


def test_migrations_stand_in_one_row(tmp_path: Path) -> None:
    a_migration(tmp_path, "0001_first", "0001", "None")
    a_migration(tmp_path, "0002_second", "0002", '"0001"')
    assert list(faults_of_migrations(tmp_path)) == []
    a_migration(tmp_path, "0002_other", "0002", '"0001"')
    assert len(list(faults_of_migrations(tmp_path))) == 1
    (tmp_path / "0002_other.py").unlink()
    a_migration(tmp_path, "0004_gap", "0004", '"0003"')
    assert [fault[:8] for fault in faults_of_migrations(tmp_path)] == ["0004_gap"]

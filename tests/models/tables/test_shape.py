from __future__ import annotations

from pathlib import Path

from apportion_models.errors import Finding
from apportion_models.tables import load_mapping, read_history, read_leads

from .helpers import only, read_text, refused


def write(text: str, folder: Path) -> Path:
    path = folder / "m.yaml"
    path.write_text(text, encoding="utf-8")
    return path


PIPELINE = (
    "Nr;Kunde;Stand;Wann;Wert\n1;acme;Gewonnen;01.02.2024;1.200\n"
    "2;Beta;Offen;02.02.2024;\n3;Zeta;Verloren;03.02.2024;5\n4;;Test;04.02.2024;1\n"
)
MAPPING = """
decimal: ','
history:
  file: pipeline.csv
  where: {stand: [Gewonnen, offen, Verloren, Kaputt]}
  columns: {lead_id: Nr, account_id: Kunde, rep_id: Nr, outcome: Stand, assigned_at: Wann, deal_value: Wert}
  values: {outcome: {Gewonnen: won, Offen: open, Verloren: lost}}
  defaults: {source: fair, effort: 2.5, deal_value: 0, region: North}
  join:
    file: firms.csv
    on: {Kunde: name}
    columns: {industry: branch, size: staff}
    values: {ACME: Acme Inc}
"""


def test_everything_together(tmp_path: Path) -> None:
    """Columns, values, defaults, where, join with renamed keys and the decimal sign work together, on a folder."""
    (tmp_path / "pipeline.csv").write_text(PIPELINE)
    (tmp_path / "firms.csv").write_text("name,branch,staff\nAcme Inc,steel,10\nBeta,,20\nGamma,wood,30\n")
    write(MAPPING, tmp_path)
    findings: list[Finding] = []
    history = read_history(tmp_path, mapping=tmp_path / "m.yaml", findings=findings)
    assert history["lead_id"].tolist() == history["rep_id"].tolist() == ["1", "2", "3"]
    assert history["outcome"].tolist() == ["won", "open", "lost"]
    assert history["deal_value"].tolist() == [1200.0, 0.0, 5.0]
    assert history["effort"].tolist() == [2.5] * 3 and history["region"].tolist() == ["North"] * 3
    assert history["industry"].fillna("-").tolist() == ["steel", "-", "-"]
    assert history["size"].fillna(-1).tolist() == [10.0, 20.0, -1.0]
    assert only(findings, column="Kunde").value == "Zeta"
    assert "Kaputt" in only(findings, column="Stand").message
    assert only(findings, column="deal_value", severity="repair", count=1, row=2)


def test_files_beside_the_source(tmp_path: Path) -> None:
    """A joined file is looked for beside the mapping, then beside the source."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "pipeline.csv").write_text(PIPELINE)
    (tmp_path / "data" / "firms.csv").write_text("name,branch,staff\nBeta,wood,20\n")
    write(MAPPING, tmp_path)
    assert read_history(tmp_path / "data" / "pipeline.csv", mapping=tmp_path / "m.yaml")["industry"].fillna(
        "-"
    ).tolist() == ["-", "wood", "-"]
    (tmp_path / "firms.csv").write_text("name,branch,staff\nBeta,coal,20\n")
    assert read_history(tmp_path / "data" / "pipeline.csv", mapping=tmp_path / "m.yaml")["industry"].fillna(
        "-"
    ).tolist() == ["-", "coal", "-"]


def test_join_refuses(tmp_path: Path) -> None:
    """A joined file that is not there, has a key twice, lacks a column, or brings a name that is taken is refused."""
    text = "lead_id,created_at,firm\nL1,2024-01-31,A\n"
    firms = tmp_path / "firms.csv"

    def told(**join: object) -> str:
        return str(
            refused("leads", text, tmp_path, mapping={"leads": {"join": {"file": "firms.csv", "on": "firm", **join}}})
        )

    assert "there is no file" in told()
    firms.write_text("firm,x\nA,1\nB,2\nA,3\n")
    assert "rows 1 and 3" in told()
    firms.write_text("firm,x,created_at\nA,1,2024\n")
    assert "both the table and firms.csv" in told()
    assert "join.columns.z" in told(columns={"z": "nothing"})
    assert "join.on" in told(on={"nix": "firm"})


def test_unknown_names(tmp_path: Path) -> None:
    """A mapping that names a column which is not there is refused, with a near name or the list."""
    text = "lead_id,created_at,Country name\nL1,2024-01-31,DE\n"
    findings = refused(
        "leads",
        text,
        tmp_path,
        mapping={
            "leads": {"columns": {"country": "Contry name"}, "values": {"nix": {"a": "b"}}, "where": {"gone": ["x"]}}
        },
    )
    assert "Country name" in only(findings, value="Contry name").remedy
    assert any("leads.values.nix" in finding.message for finding in findings)
    assert any("leads.where.gone" in finding.message for finding in findings)


def test_defaults_are_written_plainly(tmp_path: Path) -> None:
    """A default is read in plain form, whatever the source's own form; a default that is no value is refused."""
    options = {
        "mapping": {
            "leads": {
                "date_format": "%d/%m/%y",
                "decimal": ",",
                "defaults": {"created_at": "2024-12-31", "effort": "1.125"},
            }
        }
    }
    leads, _ = read_text("leads", 'lead_id,created_at,effort\nL1,31/01/24,"2,5"\nL2,,\n', tmp_path, **options)
    assert leads["created_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-31", "2024-12-31"]
    assert leads["effort"].tolist() == [2.5, 1.125]
    assert refused(
        "leads", "lead_id,created_at\nL1,\n", tmp_path, mapping={"leads": {"defaults": {"created_at": "soon"}}}
    )


def test_values_to_nothing(tmp_path: Path) -> None:
    """A word that is mapped to nothing is missing; a mapped word is compared without case and outer spaces."""
    mapping = {"leads": {"values": {"country": {"unknown": "", "germany": "DE"}, "closed": {"-": "never"}}}}
    leads, _ = read_text(
        "leads",
        "lead_id,created_at,country,closed\nL1,2024-01-31, Unknown,-\nL2,2024-01-31,Germany ,x\n",
        tmp_path,
        mapping=mapping,
    )
    assert leads["country"].fillna("?").tolist() == ["?", "DE"]
    assert leads["closed"].tolist() == ["never", "x"]


def test_mapping_wins_over_a_name(tmp_path: Path) -> None:
    """Where the mapping takes another column for one of ours, the source's column of our name is told and not read."""
    text = "lead_id,created_at,score,rating\nL1,2024-01-31,1,2\n"
    leads, findings = read_text("leads", text, tmp_path, mapping={"leads": {"columns": {"score": "rating"}}})
    assert leads["score"].tolist() == [2.0]
    assert only(findings, column="score").severity == "notice"


def test_mapping_object(tmp_path: Path) -> None:
    """A loaded mapping serves as it is."""
    (tmp_path / "leads.csv").write_text("lead_id,created_at\nL1,2024-01-31\n")
    mapping = load_mapping(write("leads: {file: leads.csv}", tmp_path))
    assert len(read_leads(None, mapping=mapping)) == 1

"""``afbench data`` and ``--data-root``: what is printed, and a wrong call in one line."""

import json

import pytest

from afbench.cli import main
from afbench.data import roots
from afbench.data.layouts import SETS


def complaint(capsys, *argv):
    code = main(argv)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    return err


def test_list_says_for_every_set_where_it_is_or_what_brings_it(tiny, capsys):
    folder = tiny("cifar10", "cifar-10-batches-bin").folder
    assert main(["data", "list"]) == 0
    lines = dict(line.split("  ", 1) for line in capsys.readouterr().out.splitlines())
    assert {name.strip() for name in lines} == set(SETS)
    assert f"in {folder}" in next(text for name, text in lines.items() if name.strip() == "cifar10")
    assert lines["fashion_mnist"].endswith("missing; download it with: afbench data fetch fashion_mnist")


def test_list_as_json(tiny, capsys, tmp_path):
    tiny("mnist", "MNIST/raw", below=tmp_path / "given")
    assert main(["data", "list", "--json", "--data-root", str(tmp_path / "given")]) == 0
    rows = {row["set"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["mnist"]["folder"] == str(tmp_path / "given" / "MNIST" / "raw")
    assert rows["mnist"]["remedy"] == ""
    assert rows["cifar100"] | {"remedy": ""} == {
        "set": "cifar100",
        "title": "CIFAR-100",
        "classes": 100,
        "shape": "3x32x32",
        "images": {"training": 50_000, "test": 10_000},
        "folder": "",
        "remedy": "",
    }


def test_fetch_of_what_is_here_says_where(tiny, capsys):
    folder = tiny("fashion_mnist", "FashionMNIST/raw").folder
    assert main(["data", "fetch", "fashion_mnist"]) == 0
    assert capsys.readouterr().out == f"fashion_mnist is in {folder}, its content checked\n"


def test_fetch_makes_the_given_folder(data_root, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = str(tmp_path / "new" / "folder")
    said = complaint(capsys, "data", "fetch", "fashion_mnist", "--from", "debian", "--data-root", folder)
    assert "apt-get is not installed" in said
    assert roots.home() == tmp_path / "new" / "folder"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["data", "fetch"], "data fetch takes a name: fashion_mnist, "),
        (["data", "list", "mnist"], "data list takes no name"),
        (["data", "fetch", "fashion_mnits"], "did you mean 'fashion_mnist'?"),
        (["data", "fetch", "cifar10", "--from", "debian"], "no package holds CIFAR-10"),
        (["data", "fetch", "cifar10", "--from", "apt"], "unknown way 'apt' (ways: debian, pooch, torchvision)"),
        (["data", "list", "--from", "pooch"], "data list takes no --from"),
        (["data", "list", "--data-root", "~nobody-of-that-name"], "this user has no home folder"),
        (["data", "list", "--data-root", ""], "data root '' is not a folder"),
        (["data", "list", "--data-root", "nowhere"], "data root 'nowhere' is not a folder"),
        (["run", "--task", "mnist", "--data-root", "nowhere"], "data root 'nowhere' is not a folder"),
        (["run", "--task", "fashion_mnist", "--acts", "relu"], "was not found (no FashionMNIST/raw, fashion-mnist in"),
    ],
)
def test_a_wrong_call_is_one_line(data_root, capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    assert message in complaint(capsys, *argv)
    assert not (tmp_path / "results").exists()


def test_run_takes_its_data_from_the_given_folder(tiny, capsys, tmp_path, monkeypatch):
    tiny("mnist", "MNIST/raw", below=tmp_path / "given", count=100)
    seen = []
    monkeypatch.setattr("afbench.campaign.run.run", lambda *_, **__: seen.append(roots.home()) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["run", "--task", "mnist", "--data-root", str(tmp_path / "given")])
    assert seen == [tmp_path / "given"]

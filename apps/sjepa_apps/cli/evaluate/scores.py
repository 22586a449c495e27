"""``sjepa-online evaluate scores``: decoders side by side, on the user's own recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    DynamicStoppingOption,
    ElectrodesOption,
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    PopulationOption,
    SeedOption,
    TestOption,
    TrainOption,
    WeightsOption,
    echo,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import (
    CsvOption,
    PlotOption,
    SeedsOption,
    check_results,
    load_comparison,
    make_requests,
)

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.evaluation.forehead import ForeheadCheck
    from sjepa_online.evaluation.significance import Score


@describes_signal(files=True)
def scores(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    seeds: SeedsOption = 1,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    electrodes: ElectrodesOption = None,
    dynamic_stopping: DynamicStoppingOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    csv: CsvOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Train decoders on some recordings and test them on others, side by side.

    No decoder adapts to the test: each of its trials counts for itself.
    """
    check_results(csv, plot, overwrite)
    from sjepa_online.evaluation.dynamic_stopping import evaluate_dynamic_stopping
    from sjepa_online.evaluation.forehead import score_sides
    from sjepa_online.evaluation.plots import plot_scores, save_figure
    from sjepa_online.evaluation.scores import evaluate_scores
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig

    protocol = load_protocol(paradigm).reading(electrodes)
    requests = make_requests(decoder, weights, seed, device, population)
    compared = load_comparison(protocol, train, test, requests, amplifier)
    training, testing, requests = compared.training, compared.testing, compared.requests
    steps = len(requests) * (seeds + dynamic_stopping)
    entries = {}
    forehead = score_sides(compared.train, compared.test, protocol, PreprocessorConfig())
    with progress_bar("Evaluating", steps) as advance:
        results = evaluate_scores(training, testing, requests, seeds, advance)
        for request in requests:
            entry = results[request.name].to_json(testing)
            if dynamic_stopping:
                entry["early"] = evaluate_dynamic_stopping(training, testing, request)
                advance()
            check = _forehead(forehead, results[request.name].judge(testing))
            entry["forehead"] = None if check is None else check.to_json()
            if check is not None and check.explains:
                say(f"{request.name}: {check}")
            entries[request.name] = entry
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "classes": list(protocol.class_names),
                "n_train": len(training.y),
                "n_test": len(testing.y),
                "sfreq": compared.sfreq,
                "n_channels": len(training.ch_names),
                "decoders": entries,
            }
        )
    else:
        _print_scores(entries)
    if csv is not None:
        write_csv(csv, [row for name, result in results.items() for row in result.rows(name)])
    if plot is not None:
        seeded = {name: result.score for name, result in results.items()}
        save_figure(plot_scores(seeded, *measure_of(protocol)), plot)


def _forehead(
    forehead: tuple[tuple[str, ...], Score] | None, decoder: Score
) -> ForeheadCheck | None:
    from sjepa_online.evaluation.forehead import ForeheadCheck

    return None if forehead is None else ForeheadCheck(*forehead, decoder)


def _print_scores(entries: dict[str, dict[str, Any]]) -> None:
    for name, entry in entries.items():
        area = f", AUC {entry['roc_auc']:.3f}" if "roc_auc" in entry else ""
        low, high = entry["interval"]
        chance = (
            f"{entry['measure']} by chance {entry['chance']:.2f}, 95 % interval {low:.2f} to "
            f"{high:.2f}, {entry['n_trials']} trials"
        )
        echo(
            f"{name}: accuracy {entry['accuracy']:.3f} +- {entry['accuracy_std']:.3f}{area} "
            f"({chance}), {entry['itr_bits_per_min']:.1f} bits/min, "
            f"fitted in {entry['fit_s']:.1f} s"
        )
        if entry["forehead"] is not None:
            found = entry["forehead"]
            echo(f"  the forehead alone ({', '.join(found['ch_names'])}): {found['score']:.3f}")
        if "early" in entry:
            echo(
                f"  dynamic stopping: accuracy {entry['early']['accuracy']:.3f} after "
                f"{entry['early']['decision_s']:.1f} s, "
                f"{entry['early']['itr_bits_per_min']:.1f} bits/min"
            )

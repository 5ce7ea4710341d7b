"""A null evaluation in a few plain lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sweeps.null_summary import HEADLINE
from sweeps.table import p_name


def evaluation_lines(summary: Mapping[str, Any]) -> list[str]:
    """Return what `gx2c nulls evaluate` prints."""
    nulls, interval = summary["nulls"], summary["gain_interval"]
    test, geography = summary["test"][HEADLINE], summary["geography"][HEADLINE]
    seeds = ", ".join(map(str, summary["seeds"]))
    lines = [
        f"{summary['model']} on {summary['dataset']}, {summary['split']} split, seeds {seeds}",
        f"test r {test:.3f}, geography {geography:.3f}, gain {test - geography:+.3f} "
        f"(95 % when {interval['of']}: {interval['low']:+.3f} to {interval['high']:+.3f})",
        f"{nulls['n']} nulls: {nulls['method']}, what moves: {nulls['moved']}, "
        f"search: {nulls['search']}; {summary['surrogate']}",
    ]
    lines += _nested(nulls) if nulls["over_geography"] else _secondary(nulls)
    if selection := nulls.get("selection"):
        lines += _selection(selection)
    if "sequential" in summary:
        found = summary["sequential"]
        lines.append(
            f"sequential (Besag-Clifford, stop after {found['stop_after']}): "
            f"p = {found['p_value']:.3f} from {found['n_used']} nulls"
        )
    return [*lines, f"caution: {nulls['caution']}"] if nulls["caution"] else lines


def _selection(found: Mapping[str, Any]) -> list[str]:
    """Say what selected spins are beside all candidates."""
    angle, stay = found["mean_angle_deg"], found["share_within_one_parcel"]
    return [
        f"best of {found['candidates']} {found['method']} spins: they turn by "
        f"{angle['best']:.0f} degrees on average (all {angle['all']:.0f}); {stay['best']:.1%} of "
        f"their regions stay within one parcel (all {stay['all']:.1%})"
    ]


def _nested(nulls: Mapping[str, Any]) -> list[str]:
    found, p = nulls["over_geography"], p_name(nulls)
    head = found[HEADLINE]
    lines = [
        f"null gain over geography {head['null_mean']:+.3f} (SD {head['null_sd']:.3f}), "
        f"z {head['z']:.1f}, {p} = {head['p_value']:.4f} (Monte-Carlo SE {head['p_se']:.4f}; "
        f"two-sided {head['p_two_sided']:.4f})"
    ]
    for name in (key for key, value in found.items() if isinstance(value, Mapping)):
        one = found[name]
        lines.append(
            f"  {name:<10} gain {one['gain']:+.4f}  p {one['p_value']:.4f}  "
            f"max-T {one['p_max_t']:.4f}  FDR {one['p_fdr']:.4f}"
        )
    return lines


def _secondary(nulls: Mapping[str, Any]) -> list[str]:
    return [
        f"gain over nulls {nulls['gain'][HEADLINE]:+.3f} (nulls {nulls[HEADLINE]['mean']:.3f}, "
        f"SD {nulls[HEADLINE]['sd']:.3f}), z {nulls['z']:.1f}, "
        f"{p_name(nulls)} = {nulls['p_value']:.4f} (Monte-Carlo SE {nulls['p_se']:.4f}; "
        f"two-sided {nulls['p_two_sided']:.4f}); not adjusted for geography"
    ]

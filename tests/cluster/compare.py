#!/usr/bin/python3
"""Prints runs of run.py side by side, as a table in Markdown: compare.py STOCK.json TANDEM.json"""
import json
import sys


def load(path):
    with open(path) as file:
        return {outcome["scenario"]: outcome for outcome in map(json.loads, file)}


def worst(outcome):
    outages = outcome["outage_s"].values() if outcome else []
    return f"{max(outages):.2f}" if outages else "-"


def lost(outcome):
    if not outcome:
        return "-"
    return f"{sum(outcome['lost'].values())} of {sum(outcome['acknowledged'].values())}" + (" FAIL" if outcome["wrong"] else "")


def main():
    first, second = map(load, sys.argv[1:3])
    print("| scenario | outage, s | with Tandem | acknowledged and lost | with Tandem |\n| --- | --- | --- | --- | --- |")
    for name in list(first) + [name for name in second if name not in first]:
        a, b = first.get(name), second.get(name)
        print(f"| {name} | {worst(a)} | {worst(b)} | {lost(a)} | {lost(b)} |")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Side by side with real Bacula: the same tree, the same configuration texts, the same machine, in turn, in one run.

  against_bacula.py --appliance PROGRAM [--tree /usr] [--work DIR] [--rounds 3] [--kinds bacula,ours,ours-plain] [--json FILE]

Each round, from fresh sites: full backup, incremental after a day's real changes, restore of everything to a new place,
compared with the source. MD5 signature, no compression, catalog in SQLite. CPU seconds and peak memory are the daemons'
own, from /proc. The tree is copied into the work directory first, because the incremental needs something to change.
Needs root, the packages that `make test` installs, and free disk space of about six times the tree.
"""
import argparse, json, os, random, shutil, statistics, subprocess, sys, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from site_under_test import Site

PHASES = ("full", "incremental", "restore")


def change(tree, seed):
    """One day's work: edits, renames, deletions, touched times and hard links, chosen by the seed."""
    choice = random.Random(seed)
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(tree) for f in names
                   if not os.path.islink(os.path.join(d, f)) and os.path.isfile(os.path.join(d, f)))
    for i, path in enumerate(choice.sample(files, max(10, len(files) // 100))):
        if not os.path.exists(path):
            continue
        if i % 5 == 0:
            with open(path, "ab") as f:
                f.write(b"changed by the benchmark\n")
        elif i % 5 == 1:
            os.rename(path, path + ".renamed")
        elif i % 5 == 2:
            os.unlink(path)
        elif i % 5 == 3:
            os.utime(path)
        else:
            os.link(path, f"{path}.link{seed}")


def one_round(number, order, a, tree):
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["cp", "-a", a.tree, tree], check=True)
    subprocess.run(["sync"], check=True)
    time.sleep(1.1)  # so that no file of the copy is as young as the full backup
    sites = {kind: Site(kind, f"{a.work}/{kind}", tree, a.appliance) for kind in order}
    figures = {kind: {} for kind in order}
    try:
        for kind in order:
            subprocess.run(["sh", "-c", f"tar cf - '{tree}' 2>/dev/null | cat >/dev/null"], check=True)  # a warm cache for all
            figures[kind]["full"] = sites[kind].phase("run job=Backup level=Full yes")
            size, rows = sites[kind].catalog()
            figures[kind]["catalog_bytes_per_file"] = size / rows
            subprocess.run(["sync"], check=True)
        time.sleep(2)
        change(tree, number)
        for kind in order:
            figures[kind]["incremental"] = sites[kind].phase("run job=Backup level=Incremental yes")
            subprocess.run(["sync"], check=True)
        for kind in order:
            where = f"{a.work}/{kind}/restored"
            figures[kind]["restore"] = sites[kind].phase(
                f"restore client=bench-fd where={where} restorejob=Restore fileset=Tree select current all done yes")
            subprocess.run(["sync"], check=True)
            compared = subprocess.run([a.appliance, "compare", tree, where + tree], capture_output=True, text=True)
            figures[kind]["differences"] = len(compared.stdout.splitlines())
            figures[kind]["peak_bytes"] = sites[kind].peaks()
            shutil.rmtree(where)
    finally:
        for site in sites.values():
            site.close()
    return figures


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--appliance", required=True)
    p.add_argument("--tree", default="/usr")
    p.add_argument("--work", default="/var/tmp/appliance-bench")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--kinds", default="bacula,ours,ours-plain")
    p.add_argument("--json")
    a = p.parse_args()
    a.appliance = os.path.abspath(a.appliance)
    os.makedirs(a.work, exist_ok=True)
    kinds, results, tree = a.kinds.split(","), [], f"{a.work}/tree"
    for number in range(a.rounds):
        turn = number % len(kinds)
        figures = one_round(number, kinds[turn:] + kinds[:turn], a, tree)  # nobody is always first
        results.append(figures)
        for kind in kinds:
            f = figures[kind]
            print(f"round {number} {kind:11}", *(f"{x} {f[x]['wall']:6.2f} s ({f[x]['cpu']:6.2f} CPU s)" for x in PHASES),
                  f"catalog {f['catalog_bytes_per_file']:.0f} B/file, differences {f['differences']}, peak MiB",
                  {r: v >> 20 for r, v in f["peak_bytes"].items()}, flush=True)
    shutil.rmtree(tree, ignore_errors=True)
    print(f"\nmedians of {a.rounds} rounds; in brackets the median ratio to Bacula in the same round")
    for kind in kinds:
        cells = [f"{kind:11}"]
        for phase in PHASES:
            cell = f"{phase} {statistics.median(r[kind][phase]['wall'] for r in results):.2f} s"
            if "bacula" in kinds:
                ratio = statistics.median(r[kind][phase]["wall"] / r["bacula"][phase]["wall"] for r in results)
                cell += f" [{ratio:.2f}]"
            cells.append(cell)
        print("  ".join(cells))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


main()

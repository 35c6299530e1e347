#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Change the VT-d model in many places, one at a time, and see who notices.

    mutate.py [--mutants N] [--seed S] [--need PERCENT] [--only FILE:LINE]

Works on a copy of the sources in build/mutate: the model's objects, one program
that holds all of its unit tests, and vtd-property.  A mutant recompiles one
file, or those of the model that include a header, links both and runs them; it
is caught if a program fails, crashes or takes longer than it may.  A change
that the compiler makes nothing of (the same object code) is no mutant.  Which
places are chosen depends on the seed and the sources alone.  Prints the mutants
that nobody noticed and the total; fails if too few were caught.
"""
import argparse
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import time

WORK = 'build/mutate'
TIMEOUT = 20
# An index beyond its table must not find something harmless there.
CFLAGS = ['-std=gnu11', '-O1', '-I.', '-D_GNU_SOURCE', '-w',
          '-fsanitize=bounds', '-fsanitize-undefined-trap-on-error']
PROPERTY = {'SEED': '1', 'OPERATIONS': '28000'}

# (what, pattern, replacement): each match of a pattern is a place.  Names are
# looked at whole, so that no operator is found inside another.
RULES = [
    ('equal', r' == ', ' != '),
    ('unequal', r' != ', ' == '),
    ('less', r' < ', ' <= '),
    ('less or equal', r' <= ', ' < '),
    ('greater', r' > ', ' >= '),
    ('greater or equal', r' >= ', ' > '),
    ('and', r' && ', ' || '),
    ('or', r' \|\| ', ' && '),
    ('mask', r'(?<=[\w)]) & (?=[\w(~])', ' | '),
    ('join', r'(?<=[\w)]) \| (?=[\w(~])', ' & '),
    ('set bits', r' \|= ', ' = '),
    ('clear bits', r' &= ', ' = '),
    ('shift left', r' << ', ' >> '),
    ('shift right', r' >> ', ' << '),
    ('plus', r'(?<=[\w)\]]) \+ (?=[\w(])', ' - '),
    ('minus', r'(?<=[\w)\]]) - (?=[\w(])', ' + '),
    ('not', r'(?<=[(& |])!(?=[\w(])', ''),
    ('complement', r'(?<=[( ])~(?=[\w(])', ''),
    ('true', r'\btrue\b', 'false'),
    ('false', r'\bfalse\b', 'true'),
    ('increment', r'\+\+(?=[;)\]])', '--'),
    ('constant', r'(?<![\w.])(\d+)u?(?![\w.])',
     lambda m: str(int(m.group(1)) + 1)),
    # An offset of a register is rounded down to one.
    ('named constant', r'\bVTD_(?!OFF_)[A-Z0-9_]+_[A-Z0-9_]+\b(?!\()',
     lambda m: '(%s << 1)' % m.group(0)),
    ('condition true', r'\b(if|while) \((.*)\) \{$', r'\1 (1 || (\2)) {'),
    ('condition false', r'\b(if|while) \((.*)\) \{$', r'\1 (0 && (\2)) {'),
    ('statement', r'^(\s+)(?!return|break|goto|continue|case|default|\}|const'
     r'|static|struct|enum|uint|unsigned|bool|int|else|\.)[\w(*][^{}]*;$',
     r'\1;'),
]

# What tells nothing: compile-time checks, hints, traces for an observer, and
# how much room there is: of the unit, of a table, on the stack.
SKIP = re.compile(r'assert\(|_Static_assert|VTD_TRACE|__attribute__'
                  r'|__builtin_expect|^\s*(/?\*|#|case |default:)'
                  r'|^\s*(const )?\w+ \w+\[\w+\];$'
                  r'|calloc\(|^\} \w+\[[^]]*\] = \{$')


class Mutant:
    def __init__(self, path, line, what, old, new):
        self.path, self.line, self.what = path, line, what
        self.old, self.new = old, new

    def __str__(self):
        return '%s:%d: %s: %s -> %s' % (self.path, self.line, self.what,
                                        self.old.strip(), self.new.strip())


def is_whole_statement(lines, i):
    """Neither begun on the line before nor inside parentheses."""
    before = lines[i - 1].rstrip() if i else ''
    return (before == '' or before[-1] in ';{}:/') and \
        lines[i].count('(') == lines[i].count(')')


def places(path):
    """
    All mutants of a file, in the order of its lines.  Of headers functions
    count alone, not what they declare.
    """
    with open(path) as file:
        lines = file.read().split('\n')
    found, depth, comment = [], 0, False
    function = not path.endswith('.h')
    for i, line in enumerate(lines):
        begins = line.lstrip().startswith('/*')
        if path.endswith('.h') and line in ('{', '}'):
            function = line == '{'
        if not comment and not begins and not SKIP.search(line) and depth \
                and function:
            for what, pattern, new in RULES:
                if what == 'statement' and not is_whole_statement(lines, i):
                    continue
                for match in re.finditer(pattern, line):
                    if line[:match.start()].count('"') % 2:
                        continue
                    text = match.expand(new) if isinstance(new, str) \
                        else new(match)
                    changed = line[:match.start()] + text + line[match.end():]
                    if changed != line:
                        found.append(Mutant(path, i + 1, what, line, changed))
        if begins or comment:
            comment = '*/' not in line
        depth += line.count('{') - line.count('}')
    return found


def choose(files, count, seed):
    """Spread over all files by size, three of each at least."""
    pools = {}
    for path in files:
        pools[path] = places(path)
        random.Random('%s %s' % (seed, path)).shuffle(pools[path])
    total = sum(len(pool) for pool in pools.values())
    share = {path: max(3, round(count * len(pool) / total))
             for path, pool in pools.items()}
    order = []
    for path in files:
        order += [(i / share[path], path, i)
                  for i in range(len(pools[path]))]
    order.sort()
    return [pools[path][i] for _, path, i in order], total


def run(argv, **kwargs):
    return subprocess.run(argv, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **kwargs)


def compile_object(source, out, *flags):
    return run(['gcc', *CFLAGS, *flags, '-c', source, '-o', out]).returncode == 0


def prepare():
    """Copy the sources, compile everything once; {source: object}."""
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK + '/o')
    for path in ('daemon/vtd', 'tests/unit', 'tests/support', 'tests/fuzz',
                 'tests/property', 'tests/replay'):
        if os.path.isdir(path):
            shutil.copytree(path, WORK + '/' + path,
                            ignore=shutil.ignore_patterns('corpus*'))
    os.chdir(WORK)
    tests = sorted(glob.glob('tests/unit/vtd-*-test.c'))
    names = ['test_%d' % i for i in range(len(tests))]
    with open('all.c', 'w') as file:
        file.write(''.join('int %s(void);\n' % n for n in names))
        file.write('int main(void)\n{\n    return %s;\n}\n' %
                   ' || '.join(n + '()' for n in names))
    groups = {
        'model': [(s, ()) for s in sorted(glob.glob('daemon/vtd/*.c'))],
        'unit': [(t, ('-Dmain=' + n,)) for t, n in zip(tests, names)] +
                [(s, ()) for s in sorted(glob.glob('tests/support/*.c'))
                 if not s.startswith('tests/support/fake-')] +
                [('all.c', ())],
        'property': [(s, ()) for s in sorted(glob.glob('tests/property/*.c')) +
                     ['tests/fuzz/oracle.c']],
    }
    objects = {}
    for group, sources in groups.items():
        objects[group] = {}
        for source, flags in sources:
            out = 'o/' + source.replace('/', '_')[:-2] + '.o'
            if not compile_object(source, out, *flags):
                sys.exit('mutate: %s does not compile' % source)
            objects[group][source] = out
    return objects


def link(objects):
    model = list(objects['model'].values())
    return all(run(['gcc', '-o', program, *objects[program].values(), *model,
                    '-lcmocka']).returncode == 0
               for program in ('unit', 'property'))


def is_caught():
    """Does a program notice?  First the quicker one."""
    end = time.monotonic() + TIMEOUT
    env = dict(os.environ, **PROPERTY)
    for program in ('./unit', './property'):
        try:
            left = max(1, end - time.monotonic())
            if run([program], env=env, timeout=left).returncode != 0:
                return True
        except subprocess.TimeoutExpired:
            return True
    return False


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def concerned(path, objects):
    """{source: object} of the model's files that a change of a file is for."""
    if path in objects['model']:
        return {path: objects['model'][path]}
    return {source: out for source, out in objects['model'].items()
            if path in subprocess.run(
                ['gcc', '-I.', '-MM', source], check=True, text=True,
                stdout=subprocess.PIPE).stdout.split()}


def attempt(mutant, objects):
    """True: caught; False: not; None: there is nothing to catch."""
    outs = concerned(mutant.path, objects)
    with open(mutant.path) as file:
        text = file.read()
    lines = text.split('\n')
    lines[mutant.line - 1] = mutant.new
    before = {out: read(out) for out in outs.values()}
    try:
        with open(mutant.path, 'w') as file:
            file.write('\n'.join(lines))
        if not all(compile_object(source, out)
                   for source, out in outs.items()) or \
                all(read(out) == was for out, was in before.items()):
            return None
        return not link(objects) or is_caught()
    finally:
        with open(mutant.path, 'w') as file:
            file.write(text)
        for out, was in before.items():
            with open(out, 'wb') as file:
                file.write(was)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--mutants', type=int, default=300)
    parser.add_argument('--seed', default='1')
    parser.add_argument('--need', type=float, default=90)
    parser.add_argument('--only', help='FILE:LINE, or FILE')
    args = parser.parse_args()
    objects = prepare()
    if not link(objects) or is_caught():
        sys.exit('mutate: the unchanged model fails its tests')
    files = sorted(objects['model']) + \
        [path for path in sorted(glob.glob('daemon/vtd/*.h')) if places(path)]
    mutants, total = choose(files, args.mutants, args.seed)
    if args.only:
        mutants = [m for m in mutants
                   if args.only in (m.path, '%s:%d' % (m.path, m.line))]
    print('mutate: seed %s, %d places' % (args.seed, total), flush=True)
    begin, done, missed = time.monotonic(), 0, []
    for mutant in mutants:
        if done == args.mutants:
            break
        caught = attempt(mutant, objects)
        if caught is None:
            continue
        done += 1
        if not caught:
            missed.append(mutant)
            print('not caught: %s' % mutant, flush=True)
        if done % 50 == 0:
            print('mutate: %d done, %d not caught, %d s' %
                  (done, len(missed), time.monotonic() - begin), flush=True)
    rate = 100 * (done - len(missed)) / max(1, done)
    print('mutate: %d mutants in %d files, %d caught: %.1f %%; at least '
          '%.0f %% are wanted; %d s' %
          (done, len(files), done - len(missed), rate, args.need,
           time.monotonic() - begin))
    sys.exit(0 if done and rate >= args.need else 1)


main()

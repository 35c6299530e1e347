#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""docs/conformance.md names what exists, and leaves nothing out.

Every file and every test that it names is there; every fault reason, type of
descriptor, register and capability field of the model has a row; each section
with rows says where its code and its tests are; each feature has one of the
four statuses, and each fault a test.
"""
import glob
import os
import re
import subprocess
import sys

os.chdir(os.path.join(os.path.dirname(__file__), '../..'))
DOC = 'docs/conformance.md'
complaints = []


def complain(text):
    complaints.append(text)


def read(path):
    with open(path) as file:
        return file.read()


def rows(text):
    """The cells of each row of each table."""
    for line in text.split('\n'):
        if line.startswith('|') and not line.startswith('|---'):
            yield [cell.strip() for cell in line.strip('|').split('|')]


def check_names(doc):
    """What stands in back quotes and looks like a file or a test is one."""
    files = subprocess.run(['git', 'ls-files'], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split('\n')
    files += glob.glob('daemon/vtd/*') + glob.glob('tests/unit/*')
    bases = {os.path.basename(path) for path in files}
    tests = set()
    for path in glob.glob('tests/unit/*.[ch]'):
        tests |= set(re.findall(r'^(\w+)\(void \*\*state\)', read(path), re.M))
    for name in re.findall(r'`([^`]+)`', doc):
        if name.startswith('drivers/') or ' ' in name or \
                name == 'intel_iommu_internal.h' or name == 'iommu.h':
            continue
        if re.search(r'\.(c|h|def|sh|py|trace)$', name):
            if name not in files and name not in bases:
                complain('no such file: %s' % name)
        elif re.fullmatch(r'[a-z0-9]+(_[a-z0-9]+)+', name) and \
                not name.startswith(('vtd_', 'dma_remap_')):
            if name not in tests:
                complain('no such test: %s' % name)


def check_sections(doc):
    """Each says where its code and tests are; each row has a status."""
    known = ('supported', 'refused', 'absent', 'deviates')
    for section in re.split(r'^## ', doc, flags=re.M)[1:]:
        title = section.split('\n')[0]
        table = list(rows(section))
        if not table or title == 'Second sources':
            continue
        for word in ('Code:', 'Test:'):
            if word not in section:
                complain('%s: no "%s"' % (title, word))
        heads = [row for row in table if row[0] in ('feature', 'fault')]
        if not heads:
            complain('%s: no table of features or faults' % title)
        features = False
        for row in table:
            if row[0] == 'feature':
                features = True
            elif row[0] in ('fault', 'field', 'register'):
                features = False
            elif features and row[1] not in known:
                complain('%s: %s: status "%s"' % (title, row[0], row[1]))
            elif re.fullmatch(r'[0-9A-F]{2}h', row[0]) and '`' not in row[3]:
                complain('%s: %s names no test' % (title, row[0]))


def listed(doc):
    """What first cells list: words, with a leading CAP. or ECAP. shared."""
    found = set()
    for row in rows(doc):
        prefix = ''
        for word in re.split(r'[,;:/ ()]+', row[0]):
            match = re.match(r'(E?CAP\.)(\w+)', word)
            if match:
                prefix, word = match.groups()
            found |= {word, prefix + word}
    return found


def check_complete(doc):
    words = listed(doc)
    header = read('daemon/vtd/vtd.h')
    body = header[header.index('enum vtd_fr {'):]
    body = body[:body.index('\n};')]
    for name, value in re.findall(r'(VTD_FR_\w+) = 0x([0-9a-f]+)', body):
        code = '%sh' % value.upper()
        if name not in ('VTD_FR_OK', 'VTD_FR_BLOCKED') and code not in words:
            complain('%s: no row for fault %s' % (name, code))
    body = read('daemon/vtd/spec-qi.h')
    body = body[body.index('enum vtd_qi_type {'):]
    body = body[:body.index('};')]
    types = ' '.join(row[0] for row in rows(doc))
    for name, value in re.findall(r'(VTD_QI_\w+) = (\d+)', body):
        if not re.search(r'\btypes? (\d+ [\w -]+, )*%s\b' % value, types):
            complain('%s: no row for type %s' % (name, value))
    for name in re.findall(r'^REG(?:32|64)\((\w+)', read('daemon/vtd/regs.def'),
                           re.M):
        generic = re.sub(r'^FRCD\d_(LO|HI)$', r'FRCDn_\1', name)
        if name not in words and generic not in words:
            complain('no row for register %s' % name)
    for layout, name in re.findall(r'^FIELD\((E?CAP), +(\w+)',
                                   read('daemon/vtd/fields.def'), re.M):
        if '%s.%s' % (layout, name) not in words:
            complain('no row for field %s.%s' % (layout, name))


def main():
    doc = read(DOC)
    check_names(doc)
    check_sections(doc)
    check_complete(doc)
    for text in complaints:
        print('conformance: %s' % text, file=sys.stderr)
    sys.exit(1 if complaints else 0)


main()

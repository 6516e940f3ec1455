#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The header parser: what it takes, and one clear line for what it does not.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# with 's/sed/program/' FILE: a good header, edited
with()
{
	cat >"$tmp/good" <<-END
	#!/bin/sh
	# SPDX-License-Identifier: GPL-2.0-only
	# about: a test
	# consumer: block
	# split: train
	# device: hdd ssd
	# memory: 512M
	# needs: fio
	# metric: read_bw higher
	echo hello
	# unknown: below the header, so only a comment
	END
	sed "$1" "$tmp/good" >"$2"
}

read_it()
{
	bash -c '. "$0/../lib.sh"; read_header "$1" "$2"
		echo "${H[consumer]}|${H[device]:-}|${H[suite]}|${H[metric]:-}"' \
		"$here" "$1" "${2:-workload}"
}

with '' "$tmp/w.sh"
expect "a good header" 0 "block|hdd ssd|quick full|read_bw higher" read_it "$tmp/w.sh"
with 's/block/block  /' "$tmp/w.sh"
expect "blanks at the end" 0 "block|hdd ssd|quick full" read_it "$tmp/w.sh"

bad()
{
	local name=$1
	with "$2" "$tmp/w.sh"
	expect "$name" 65 "$3" read_it "$tmp/w.sh"
}
bad "unknown key" 's/needs/neds/' "w.sh:8: unknown key 'neds'"
bad "key twice" 's/needs: fio/split: test/' "w.sh:8: key 'split' given twice"
bad "empty value" 's/about: .*/about: /' "key 'about' has no value"
bad "missing about" '/about/d' "key 'about' is missing"
bad "missing metric" '/metric/d' "key 'metric' is missing"
bad "bad consumer" 's/: block/: net/' "key 'consumer' is 'net', expected block, mm or sched"
bad "two consumers" 's/: block/: block mm/' "key 'consumer'"
bad "bad split" 's/train/valid/' "key 'split' is 'valid', expected train or test"
bad "bad device" 's/hdd ssd/hdd tape/' "key 'device' is 'hdd tape'"
bad "memory without unit" 's/512M/512/' "key 'memory' is '512', expected a size"
bad "memory too large" 's/512M/64G/' "key 'memory' is '64G', expected 128M to 2G"
bad "memory not a number" 's/512M/lotsM/' "key 'memory' is 'lotsM'"
bad "metric without direction" 's/ higher//' "expected NAME higher or NAME lower"
bad "metric with a bad direction" 's/higher/up/' "expected NAME higher or NAME lower"

with '' "$tmp/w.txt"
expect "unknown kind of file" 65 "a workload is NAME.fio, NAME.job or NAME.sh" read_it "$tmp/w.txt"
expect "no such file" 65 "cannot be read" read_it "$tmp/none.sh"

printf '# about: x\n# consumer: all\n' >"$tmp/p.sh"
expect "a policy for all" 0 "block mm sched||full|" read_it "$tmp/p.sh" policy
printf '# about: x\n# consumer: mm\n# device: hdd\n' >"$tmp/p.sh"
expect "a policy has no device" 65 "unknown key 'device'" read_it "$tmp/p.sh" policy
printf '# about: x\n# consumer: mm\n# suite: nightly\n' >"$tmp/p.sh"
expect "a policy with a bad suite" 65 "key 'suite' is 'nightly'" read_it "$tmp/p.sh" policy
tap_end

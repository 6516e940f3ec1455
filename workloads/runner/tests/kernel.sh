#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# When is the kernel's tree prepared anew, and when only patched anew? With a
# small tree that is not a kernel's.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

mkdir -p "$tmp/top/workloads" "$tmp/top/patches" "$tmp/ksrc"
cp -r "$here/.." "$tmp/top/workloads/runner"
for file in Kbuild Kconfig Makefile; do
	echo "# $file" >"$tmp/ksrc/$file"
done
printf 'one\ntwo\n' >"$tmp/ksrc/a"
printf 'one\ntwo\n' >"$tmp/ksrc/b"
tree=$tmp/top/build/linux

# mail FILE MESSAGE TO: a patch that makes "two" of FILE be TO
mail()
{
	cat <<-END
	From: somebody
	Subject: [PATCH] $2

	$2
	---
	diff --git a/$1 b/$1
	--- a/$1
	+++ b/$1
	@@ -1,2 +1,2 @@
	 one
	-two
	+$3
	END
}

prepare()
{
	KSRC=$tmp/ksrc "$tmp/top/workloads/runner/kernel" source >"$tmp/log" 2>&1
}

# holds NAME A B NEW: files a and b of the tree, and is a file of ours gone?
holds()
{
	local there=no

	[ ! -e "$tree/ours" ] || there=yes
	[ "$(tail -n 1 "$tree/a") $(tail -n 1 "$tree/b") $there" = "$2 $3 $4" ]
	tap $? "$1" "$tmp/log"
	: >"$tree/ours"
}

mail a first 2 >"$tmp/top/patches/1.patch"
prepare
holds "a tree is made and patched" 2 two no
mail a "other words, --- and all" 2 >"$tmp/top/patches/1.patch"
prepare
holds "another message: the tree stays" 2 two yes
[ ! -s "$tmp/log" ]
tap $? "and nothing is said" "$tmp/log"
mail a first 3 >"$tmp/top/patches/1.patch"
prepare
holds "another hunk: only patched anew" 3 two yes
mail b second 4 >"$tmp/top/patches/2.patch"
sed 's/two/4/; s/+4/+5/' "$tmp/top/patches/2.patch" >"$tmp/top/patches/3.patch"
prepare
holds "more patches, two of them to one file" 3 5 yes
rm "$tmp/top/patches"/[23].patch
prepare
holds "fewer patches" 3 two yes
[ "$(grep -c . "$tree/Kbuild")" -eq 2 ]
tap $? "our line in Kbuild is there once" "$tree/Kbuild"
echo strange >"$tree/a"
mail a first 6 >"$tmp/top/patches/1.patch"
prepare
holds "where the old ones do not go, a new tree" 6 two no
mail a first 7 | sed 's/-two/-three/' >"$tmp/top/patches/1.patch"
! prepare && grep -q '1.patch does not apply' "$tmp/log"
tap $? "a patch that does not apply is told" "$tmp/log"
mail a first 6 >"$tmp/top/patches/1.patch"
prepare
holds "after that, a new tree" 6 two no
rm "$tmp/top/patches/1.patch"
prepare
holds "no patches" two two yes
touch -d @1 "$tmp/ksrc/Makefile"
prepare
holds "another source: a new tree" two two no
tap_end

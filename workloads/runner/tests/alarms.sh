# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# What a kernel says when something is wrong with it. Sourced.

alarming='BUG:|WARNING:|Oops|KASAN|UBSAN|rcu:.*(stall|detected)|suspicious RCU|RCU used illegally|possible (circular|recursive|irq)|inconsistent lock|Kernel panic|general protection|refcount_t:|list_(add|del) corruption|ODEBUG|unreferenced object|new suspected memory leak|blocked for more than'

# Of the data races that KCSAN finds, those without a function of ours in sight
# are not for us
ours='ml_|rig_|[ /]ra_|readahead_(decide|issued|read|waits|policy)|page_cache_ra_policy'

# Stock races that ours are only further up the stack of. The clock keeps two
# copies, of which one can always be read (seqcount_latch), which KCSAN is told
# since 6.13. A bit of a sbitmap is looked for first, and taken atomically then
stock='data-race in .*(timekeeping_update|sbitmap_find_bit)'

# alarms CONSOLE-LOG: print what is alarming; succeed if nothing is
alarms()
{
	! awk -v ours="$ours" -v stock="$stock" '
		index($0, "==============================") {
			hold = !hold
			if (!hold && (!race || block ~ ours && block !~ stock))
				printf "%s", block
			block = ""
			race = 0
		}
		hold { block = block $0 "\n"; race = race || /BUG: KCSAN/; next }
		{ print }
		END { printf "%s", block }' "$1" | grep -nE -A 25 "$alarming"
}

# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what readahead by hints costs, as lines "STATE CASE NAME VALUE
# ..." in the file costs. Beside the script lie readcost and perhaps
#   plain                this kernel has no consumer
#   agent.json           only measure the agent with this model
#   readahead.mltree     a model to be measured as well
set -eu
run=/rig/run
small=$BENCH_DIR/small large=$BENCH_DIR/large
param=/sys/module/ml_readahead/parameters/enable

cold() { sync; echo 3 >/proc/sys/vm/drop_caches; }

# "decisions CONTROL TREATED"
decisions()
{
	[ -e $param ] || { echo 0 0; return; }
	mlctl -j status readahead | sed -n 's/^ *"decisions": \([0-9]*\).*/\1/p' |
		tr '\n' ' '
}

disk_reads() { awk '{ print $1 }' "/sys/block/$BENCH_DISK/stat"; }

# misses STATE CASE ARGUMENT...: reads that find nothing, and the decisions
misses()
{
	state=$1 case=$2
	shift 2
	cold
	# shellcheck disable=SC2046 # two numbers
	set -- "$@" $(decisions) "$(disk_reads)"
	line=$($run/readcost "$1" "$large" "$2" "$3")
	now="$(decisions) $(disk_reads)"
	echo "$4 $5 $6 $now" |
	awk -v line="$state $case $line" '{
		print line, "control", $4 - $1, "treated", $5 - $2, "disk_reads", $6 - $3 }' >>costs
}

# hits STATE CASE READCOST-ARGUMENT...
hits()
{
	state=$1 case=$2
	shift 2
	echo "$state $case $($run/readcost "$@" | tail -n 1)" >>costs
}

# The files that are hit must not be known from a miss: warm is called before
# the consumer is switched on
warm()
{
	cold
	cat "$small" >/dev/null
}

measure()
{
	hits "$1" pread-4k cached "$small" 4096
	hits "$1" pread-64k cached "$small" 65536
	hits "$1" fault faults "$small"
	cold
	hits "$1" pread-4k-tracked tracked "$small" 4096
	cold
	hits "$1" pread-64k-tracked tracked "$small" 65536
	cold
	hits "$1" fault-tracked tracked-faults "$small"
	misses "$1" random-4k random 4096 4000
	misses "$1" seq-64k seq 65536 1000
}

# off: and end what ran
off()
{
	[ ! -f /tmp/at-end ] || sh /tmp/at-end
	rm -f /tmp/at-end /tmp/*.status
	echo 0 >$param
	warm
}

agent()
{
	readahead-on --backend agent --agent "$1"
	measure agent
	mlctl -j status readahead >agent.status
	off
}

dd if=/dev/urandom of="$small" bs=1M count=1 2>/dev/null
dd if=/dev/zero of="$large" bs=1M count=96 2>/dev/null
warm
if [ -e $run/agent.json ]; then
	agent $run/agent.json
	exit
fi
if [ -e $run/plain ]; then
	[ ! -e $param ]
	measure plain
	exit
fi

# Trees of the usual shape that always say stock, so that what is read is what
# stock reads: actions and rewards of chance, and those of stock above all others.
# Not the actions that were taken, as there is one for each slot of 134 ms, and
# stock may be none of them; nor the control arm, or some features would tell
# that it is one.
readahead-on --backend random --record /tmp/random.csv
for seed in 1 2 3; do
	echo "round $seed"
	cold
	$run/readcost random "$large" 4096 700
	$run/readcost stride "$large" 4096 700
	$run/readcost seq "$large" 65536 700
done
off
awk -F, 'BEGIN { OFS = FS; srand(1) }
	/^[0-9]/ && $6 == 0 { next }
	/^# .* actions=/ { actions = split($0, list, ",") }
	/^[0-9]/ && $10 != "" {
		$8 = int(actions * rand())
		$10 = ($8 == 0 ? 5000 : -5000) + int(2000 * rand())
	}
	{ print }' /tmp/random.csv >/tmp/train.csv
for trees in 5 20 50; do
	mlctl train /tmp/train.csv -o "/tmp/$trees.json" --trees "$trees" --min-rows 20
	mlctl compile "/tmp/$trees.json" -o "/tmp/$trees.mltree"
done

measure off
off
readahead-on --backend none
measure hook
off
readahead-on --backend none --record /tmp/none.csv
measure recorded
off
readahead-on --backend trees --table /tmp/20.mltree --pin emergency
measure control
off
for trees in 5 20 50; do
	readahead-on --backend trees --table "/tmp/$trees.mltree"
	measure "trees-$trees"
	mlctl -j status readahead >"trees-$trees.status"
	off
done
agent /tmp/20.json
cp /tmp/20.json model.json
readahead-on --backend rule
measure rule
off
if [ -e $run/readahead.mltree ]; then
	readahead-on --backend trees --table $run/readahead.mltree
	measure model
	mlctl -j status readahead >model.status
	off
fi
measure off-again
cat costs

# SPDX-License-Identifier: GPL-2.0-only
# In the guest: what the hot path costs, case by case, as lines
# "CASE CALL ARM N MIN MEDIAN MAX" in instructions.
set -eu

# Let a few series pass, then take the last one of the log
measure()
{
	sleep 1
	dmesg | sed -n 's/^.*ml_bench: \([a-z]*\) \([a-z]*\) n \([0-9]*\) min \([0-9]*\) median \([0-9]*\) max \([0-9]*\)$/\1 \2 \3 \4 \5 \6/p' |
	tail -n 16 >series
	for arm in control treatment; do
		for call in decide observe; do
			line=$(grep "^$call $arm " series | tail -n 1)
			[ -n "$line" ] || continue
			echo "$1 $line" >>instructions
		done
	done
}

# An agent that records reads everything; its series have samples in them
reading()
{
	mlctl record bench -o /tmp/rows.csv -t 3 >/tmp/record.log 2>&1 &
	sleep 1
}

insmod /rig/ml_bench.ko
dmesg | sed -n 's/^.*ml_bench: \(bytes .*\)$/\1/p' >bytes

measure emergency
reading
measure emergency-recorded
wait

mlctl mode bench --backend rule --pin recommendation
measure rule
reading
measure rule-recorded
wait

mlctl mode bench --backend random
mlctl record bench -o train.csv -n 6000
for shape in 10:4 25:4 25:6; do
	trees=${shape%:*} depth=${shape#*:}
	name=trees-$((2 * trees))xd$depth
	mlctl train train.csv -o model.json --trees "$trees" --depth "$depth" >"$name.train"
	mlctl compile model.json -o model.mltree >"$name.compile"
	mlctl load bench model.mltree
	mlctl mode bench --backend trees
	measure "$name"
	mlctl -j status bench >"$name.status"
done
# One group instead of one for each action
mlctl train train.csv -o model1.json --objective binary:logistic --label action --trees 20 --depth 4 >trees-20xd4-binary.train
mlctl compile model1.json -o model.mltree >trees-20xd4-binary.compile
mlctl load bench model.mltree
measure trees-20xd4-binary
mlctl -j status bench >trees-20xd4-binary.status
mlctl unload bench

# The way of a sample to a hint that can be used
mlctl mode bench --backend agent
mlctl agent bench --model model.json >agent.txt &
sleep 5
kill $!
wait
rmmod ml_bench
cat instructions

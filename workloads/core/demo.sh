# SPDX-License-Identifier: GPL-2.0-only
# In the guest: the whole loop on the demo consumer, from no model to a
# recommended one, through a drift, and back. Leaves a status every 100 ms in
# series.jsonl. The host's part is workloads/runner/demo.
set -eu

step() { printf '\n## %s\n' "$*"; }

run()
{
	echo "\$ $*"
	"$@"
}

mode() { mlctl -j status demo | sed -n 's/^ *"mode": "\([a-z]*\)".*/\1/p'; }

# wait_for MODE...: until the proxy is in one of them
wait_for()
{
	tries=0
	until case " $* " in *" $(mode) "*) true ;; *) false ;; esac; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ]; then
			echo "demo: the mode is still $(mode), not: $*"
			return 1
		fi
		sleep 0.1
	done
	echo "# mode: $(mode)"
}

# A model of what is true now, by random actions on half of the decisions
learn()
{
	run mlctl mode demo --backend random --pin collaboration
	run mlctl record demo -o rows.csv -n 20000
	run mlctl mode demo --backend none --pin none
	run mlctl train rows.csv -o model.json --trees 10 --depth 3
	run mlctl compile model.json -o model.mltree
	run mlctl load demo model.mltree
	run mlctl mode demo --backend trees
}

step "A consumer starts: no model, the stock action everywhere"
insmod /rig/ml_demo.ko drift=400000
run mlctl status demo
mlctl -j status -w0.1 demo >series.jsonl &
watcher=$!

step "Record what random actions bring, train, compile, load"
learn

step "The modes climb as evidence comes in"
wait_for recommendation
run mlctl status demo

step "The world changes: the model does harm and loses its modes"
wait_for emergency
run mlctl status demo

step "Learn again"
learn

step "And climb again"
wait_for recommendation
sleep 2
run mlctl status demo
kill $watcher
wait $watcher || true
rmmod ml_demo
dmesg | grep 'ml_demo:' | sed 's/^/# /'

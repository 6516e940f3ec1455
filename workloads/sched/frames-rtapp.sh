# SPDX-License-Identifier: GPL-2.0-only
# about: video at 30 frames a second (9 ms, every tenth 15 ms) beside an audio tick
# consumer: sched
# split: test
# device: ssd
# memory: 256M
# needs: rt-app loadgen
# package: rt-app
# metric: energy_delay lower
set -eu

# The calibration is given (ns a loop, as the guest takes at full speed), so that
# rt-app does not time the CPU: a "run" is then a fixed number of loops, whatever
# the frequency. The seed shifts the audio tick against the frames.
cat >/tmp/frames.json <<END
{
	"global": {
		"duration": 3,
		"calibration": 192,
		"default_policy": "SCHED_OTHER",
		"lock_pages": false,
		"logdir": "/tmp",
		"log_basename": "frames"
	},
	"tasks": {
		"video": {
			"loop": -1,
			"phases": {
				"inter": {
					"loop": 9,
					"run": 9000,
					"timer": { "ref": "frame", "period": 33333, "mode": "absolute" }
				},
				"intra": {
					"loop": 1,
					"run": 15000,
					"timer": { "ref": "frame", "period": 33333, "mode": "absolute" }
				}
			}
		},
		"audio": {
			"loop": -1,
			"delay": $((BENCH_SEED * 1777 % 10000)),
			"run": 400,
			"timer": { "ref": "tick", "period": 10000, "mode": "absolute" }
		}
	}
}
END
rt-app /tmp/frames.json >"$BENCH_OUT/rt-app.log" 2>&1

# Column 8 is the slack: what was left of the period. The time a frame took
# from its tick is the period without it.
awk '!/^#/ && NF >= 8 { print 33333 - $8 }' /tmp/frames-video-*.log |
	loadgen summary --deadline 33333

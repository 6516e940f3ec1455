# SPDX-License-Identifier: GPL-2.0-only
# about: readahead: the model of trees, run by XGBoost in user space, 15 of 16 time slots
# consumer: block
# suite: full
# needs: mlctl
# files: consumers/block/model/readahead.json
readahead-on --backend agent --agent "$BENCH_FILES/readahead.json"

# SPDX-License-Identifier: GPL-2.0-only
# A record file with a known answer: action 1 is best where a > 0, action 2
# where a <= 0 and b > 0, the stock action elsewhere. -v rows=N -v seed=N;
# -v rare=1: action 3 has hardly any rows; -v windfall=N: action 3 is by far the
# best in every N-th row; -v heavy=1: these rows have 99 units, the others 1.
BEGIN {
	srand(seed)
	print "# mlctl record 2 proxy=demo schema=0123456789abcdef actions=stock,a,b,never"
	print "id,time_ns,context,model,mode,arm,backend,action,flags,reward,units,a,b,noise,level"
	for (i = 1; i <= rows; i++) {
		a = int(rand() * 2001) - 1000
		b = int(rand() * 2001) - 1000
		noise = int(rand() * 2001) - 1000
		level = int(rand() * 1000)
		treated = rand() < 0.5
		action = treated ? int(rand() * 4) : 0
		if (rare && action == 3 && rand() < 0.99)
			action = 0
		best = a > 0 ? 1 : b > 0 ? 2 : 0
		wind = windfall && i % windfall == 0
		reward = int(level + (action == best ? 200 : 0) - (action != 3 ? 0 : wind ? -2000 : 300) + 200 * (rand() - 0.5))
		units = heavy ? (wind ? 99 : 1) : 1 + int(rand() * 32)
		printf "%d,%d,%d,0,2,%d,4,%d,1,%s,%d,%d,%d,%d\n", i, i * 100000, i % 64, treated, action, rand() < 0.05 ? "," : reward "," units, a, b, noise, level
	}
}

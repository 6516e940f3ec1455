# SPDX-License-Identifier: GPL-2.0-only
# A record file with a known answer: action 1 is best where a > 0, action 2
# where a <= 0 and b > 0, the stock action elsewhere. -v rows=N -v seed=N;
# -v rare=1: action 3 has hardly any rows.
BEGIN {
	srand(seed)
	print "# mlctl record 1 proxy=demo schema=0123456789abcdef actions=stock,a,b,never"
	print "id,time_ns,context,model,mode,arm,backend,action,flags,reward,a,b,noise,level"
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
		reward = int(level + (action == best ? 200 : 0) - (action == 3 ? 300 : 0) + 200 * (rand() - 0.5))
		printf "%d,%d,%d,0,2,%d,4,%d,1,%s,%d,%d,%d,%d\n", i, i * 1000, i % 64, treated, action, rand() < 0.05 ? "" : reward, a, b, noise, level
	}
}

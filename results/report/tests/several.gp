reset
set terminal svg size 900,246 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'block-ratio.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set title 'block: ratio to stock (right of 1 is better)'
set xrange [0.862712:2.83567]
set yrange [3.5:-0.5]
set ytics scale 0 ('seq (hdd)' 0, 'stride (ssd)' 1, 'small (nvme) test' 2, 'zipf (ssd) test' 3)
set key bottom right outside horizontal center noautotitle
set style fill solid 1 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '#222222' front
$best << EOD
1.99833 -0.18 1.76472 2.26288 2.26288 "1.998  ra-128"
1.5 0.82 1.5 1.5 1.5 "1.500  ra-128"
1 1.82 1 1 1 "1.000  ra-128"
1.1 2.82 1.1 1.1 1.1 "1.100  ra-16"
EOD
$noise << EOD
1.00033 0.18 0.996546 1.00413 1.00413 ""
1.006 1.18 1.006 1.006 1.006 ""
1 2.18 1 1 1 ""
1.00017 3.18 0.99945 1.00088 1.00088 ""
EOD
plot $best using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#0072b2' title 'best static policy of the workload', \
 $best using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $best using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222', \
 $noise using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#e69f00' title 'stock2 (noise)', \
 $noise using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $noise using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222'
unset output
reset
set terminal svg size 900,300 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'block-latency-1.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set multiplot layout 1,3 title 'block: share of requests done within a latency'
set logscale x
set format x '%.0s%cs'
set xtics font ',11' autofreq
set ytics font ',11' ('0' 0, '50 %%' 0.30103, '90 %%' 1, '99 %%' 2, '99.9 %%' 3, '99.99 %%' 4)
set yrange [0:*]
set offsets 0,0,0.2,0
set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#dddddd'
set key bmargin center horizontal samplen 3 font ',11'
$stock << EOD
5e-05 0.0457575
0.0001 0.30103
0.0003 1
0.001 2
0.005 3
EOD
$best << EOD
2.50418e-05 0.0457575
5.00835e-05 0.30103
0.000150251 1
0.000500835 2
0.00250418 3
EOD
set title 'seq (hdd) read' offset 0,-0.5
plot $stock using 1:2 with lines linewidth 2 linecolor rgb '#e69f00' title 'stock', \
 $best using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb '#0072b2' title 'ra-128'
$stock << EOD
5e-05 0.0457575
0.0001 0.30103
0.0003 1
0.001 2
0.005 3
EOD
$best << EOD
3.33333e-05 0.0457575
6.66667e-05 0.30103
0.0002 1
0.000666667 2
0.00333333 3
EOD
set title 'stride (ssd) read' offset 0,-0.5
plot $stock using 1:2 with lines linewidth 2 linecolor rgb '#e69f00' title 'stock', \
 $best using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb '#0072b2' title 'ra-128'
$stock << EOD
5e-05 0.0457575
0.0001 0.30103
0.0003 1
0.001 2
0.005 3
EOD
$best << EOD
4.54545e-05 0.0457575
9.09091e-05 0.30103
0.000272727 1
0.000909091 2
0.00454545 3
EOD
set title 'zipf (ssd) read' offset 0,-0.5
plot $stock using 1:2 with lines linewidth 2 linecolor rgb '#e69f00' title 'stock', \
 $best using 1:2 with lines linewidth 2 dashtype 2 linecolor rgb '#0072b2' title 'ra-16'
unset multiplot
unset output
reset
set terminal svg size 900,178 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'mm-ratio.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set title 'mm: ratio to stock (right of 1 is better)'
set xrange [0.959:1.4395]
set yrange [1.5:-0.5]
set ytics scale 0 ('hot (nvme)' 0, 'grow (nvme) test' 1)
set key bottom right outside horizontal center noautotitle
set style fill solid 1 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '#222222' front
$best << EOD
1.3 -0.18 1.3 1.3 1.3 "1.300  lru-swap60"
1.3 0.82 1.3 1.3 1.3 "1.300  lru-swap60"
EOD
$noise << EOD
1 0.18 1 1 1 ""
1 1.18 1 1 1 ""
EOD
plot $best using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#0072b2' title 'best static policy of the workload', \
 $best using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $best using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222', \
 $noise using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#e69f00' title 'stock2 (noise)', \
 $noise using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $noise using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222'
unset output
reset
set terminal svg size 900,144 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'sched-ratio.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set title 'sched: ratio to stock (right of 1 is better)'
set xrange [0.449:1.2395]
set yrange [0.5:-0.5]
set ytics scale 0 ('poisson (ssd)' 0)
set key bottom right outside horizontal center noautotitle
set style fill solid 1 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '#222222' front
$best << EOD
0.5 -0.18 0.5 0.5 1 "0.500  performance"
EOD
plot $best using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#0072b2' title 'best static policy of the workload', \
 $best using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $best using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222'
unset output

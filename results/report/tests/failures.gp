reset
set terminal svg size 900,280 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'mm-ratio.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set title 'mm: ratio to stock (right of 1 is better)'
set xrange [0.936622:1.76397]
set yrange [4.5:-0.5]
set ytics scale 0 ('hot (ssd)' 0, 'zeros (ssd)' 1, 'dead (ssd) test' 2, 'gone (ssd) test' 3, 'nostock (ssd) test' 4)
set key bottom right outside horizontal center noautotitle
set style fill solid 1 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '#222222' front
$best << EOD
1.49262 -0.18 1.4621 1.52378 1.52378 "1.493  b"
EOD
$noise << EOD
1 0.18 1 1 1 ""
EOD
plot $best using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#0072b2' title 'best static policy of the workload', \
 $best using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $best using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222', \
 $noise using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#e69f00' title 'stock2 (noise)', \
 $noise using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $noise using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222'
unset output

reset
set terminal svg size 900,144 fixed noenhanced font 'sans-serif,13' background '#ffffff'
set output 'block-ratio.svg'
set border 3 linecolor rgb '#222222'
set tics nomirror out
set title 'block: ratio to stock (right of 1 is better)'
set xrange [0.988:1.019]
set yrange [0.5:-0.5]
set ytics scale 0 ('scan (ssd)' 0)
set key bottom right outside horizontal center noautotitle
set style fill solid 1 noborder
set arrow from 1,graph 0 to 1,graph 1 nohead linecolor rgb '#222222' front
$noise << EOD
1 0.18 1 1 1 ""
EOD
plot $noise using 1:2:(1):1:($2-0.17):($2+0.17) with boxxyerror linecolor rgb '#e69f00' title 'stock2 (noise)', \
 $noise using 1:2:3:4 with xerrorbars pointtype -1 linecolor rgb '#222222', \
 $noise using 5:2:6 with labels left offset 0.7,0 textcolor rgb '#222222'
unset output

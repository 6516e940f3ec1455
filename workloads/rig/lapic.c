// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tell the kernel the local APIC timer's rate instead of having it measured.
 *
 * The measurement spins for 100 ms on PAUSE, which an emulator executes very
 * slowly: it costs more wall time than the rest of the boot. The rate of the
 * emulated timer is known, and a figure that is given is the same each time.
 */

#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <asm/apic.h>

/* rig_lapic_mhz=N: the timer counts N MHz, before division */
static int __init rig_lapic_setup(char *arg)
{
	unsigned int mhz;

	if (!arg || kstrtouint(arg, 10, &mhz) || !mhz || mhz > 4000) {
		pr_err("rig_lapic_mhz: expected 1..4000\n");
		return -EINVAL;
	}
	lapic_timer_period = mhz * (1000000 / HZ);
	return 0;
}
early_param("rig_lapic_mhz", rig_lapic_setup);

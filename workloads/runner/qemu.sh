# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# SPDX-License-Identifier: GPL-2.0-only
# How a guest is started. Sourced by bench and shell.
#
# Virtual time: with icount every instruction takes 1 ns and idle time is
# skipped, so what the host does meanwhile cannot be seen from inside. That
# holds as long as no device of the guest answers in the host's time: there is
# no virtio, no network, no HPET, and the result stream is a serial port.
#
# Memory: what the workload asked for lies below 4 GiB, the simulated disk's
# store above it, out of the kernel's sight.

# The kernel and the initramfs; who wants others sets these
KERNEL_DIR=${KERNEL_DIR:-$top/build/kernel}
IMAGE=${IMAGE:-$top/build/initramfs.cpio}

# qemu_command ACCEL MEMORY_MB STORE_MB SEED INITRD CMDLINE: fill QEMU[]
# ACCEL: tcg, in virtual time; kvm; race, two emulated CPUs in real time
qemu_command()
{
	local accel=$1 mem=$2 store=$3 seed=$4 initrd=$5 cmdline=$6 cpus=1

	# Nobody's parameter: the kernel seeds its random numbers with the whole
	# line. What is drawn at boot (which of a file's time slots are control) is
	# chance, too, and would else be the same in every seed.
	cmdline="$cmdline bench.seed=$seed"
	# In real time on a busy host the kernel's check of its timer counts too few
	# ticks, and it panics
	[ "$accel" != race ] || { cpus=2; cmdline="$cmdline no_timer_check"; }
	# The emulated timers' rates are known; measuring them takes seconds
	[ "$accel" != tcg ] || cmdline="$cmdline tsc_early_khz=1000000 rig_lapic_mhz=1000"
	QEMU=(qemu-system-x86_64 -nodefaults -no-user-config -display none
		-no-reboot -smp "$cpus" -m "$((mem + store))M"
		-kernel "$KERNEL_DIR/arch/x86/boot/bzImage" -initrd "$initrd"
		-append "console=ttyS0 loglevel=5 panic=-1 nokaslr norandmaps tsc=reliable memmap=${store}M\$0x100000000 $cmdline")
	case $accel in
	tcg)
		QEMU+=(-accel tcg -icount "shift=0,sleep=off"
			-rtc "clock=vm,base=2020-01-01" -seed "$seed" -cpu Nehalem
			-M "q35,hpet=off,max-ram-below-4g=${mem}M")
		;;
	kvm)
		QEMU+=(-accel kvm -cpu host
			-M "q35,hpet=off,max-ram-below-4g=${mem}M")
		;;
	race)
		QEMU+=(-accel "tcg,thread=multi" -cpu Nehalem
			-M "q35,max-ram-below-4g=${mem}M")
		;;
	esac
}

# guest_archive FILE DIR: FILE becomes the initramfs with DIR/run as /rig/run
guest_archive()
{
	local dir=$2

	mkdir -p "$dir/tree/rig"
	rm -rf "$dir/tree/rig/run"
	mv "$dir/run" "$dir/tree/rig/run"
	find "$dir/tree" -exec touch -h -d @1577836800 {} +
	{
		cat "$IMAGE"
		(cd "$dir/tree" && find rig/run | LC_ALL=C sort |
			cpio --quiet -o -H newc --reproducible -R 0:0)
	} >"$1"
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module's parameters: on or off, and for which disks.
 */
#include <linux/blkdev.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "device.h"
#include "readahead.h"

#define RA_MAX_DISKS	8

/* Of whose files readahead is decided; none: of all. Not changed while on. */
static dev_t disks[RA_MAX_DISKS];
static unsigned int nr_disks;

static bool enable;
static bool ra_created;

/**
 * ra_is_chosen() - is readahead to be decided of this file?
 * @inode: of a file that is being read
 *
 * A partition is chosen by its own number or by its disk's.
 *
 * Return: true if it lies on a disk that is, or if all are.
 */
bool ra_is_chosen(struct inode *inode)
{
	struct block_device *bdev;
	unsigned int i;

	if (!nr_disks)
		return true;
	bdev = ra_bdev_of(inode);
	for (i = 0; bdev && i < nr_disks; i++)
		if (disks[i] == bdev->bd_dev ||
		    disks[i] == disk_devt(bdev->bd_disk))
			return true;
	return false;
}

/* "8:0,259:3": major and minor numbers, or nothing for all */
static int set_disks(const char *val, const struct kernel_param *kp)
{
	unsigned int nr = 0, major, minor;
	dev_t new[RA_MAX_DISKS];
	int len;

	if (enable && ra_created)
		return -EBUSY;
	for (val = skip_spaces(val); *val; val += len) {
		if (nr == RA_MAX_DISKS)
			return -E2BIG;
		if (sscanf(val, "%u:%u%n", &major, &minor, &len) != 2 ||
		    major >= 1U << (32 - MINORBITS) || minor >= 1U << MINORBITS)
			return -EINVAL;
		new[nr++] = MKDEV(major, minor);
		val = skip_spaces(val + len);
		len = *val == ',';
		if (*val && !len)
			return -EINVAL;
	}
	memcpy(disks, new, nr * sizeof(*new));
	nr_disks = nr;
	return 0;
}

static int get_disks(char *buffer, const struct kernel_param *kp)
{
	unsigned int i;
	int len = 0;

	for (i = 0; i < nr_disks; i++)
		len += sysfs_emit_at(buffer, len, "%s%u:%u", i ? "," : "",
				     MAJOR(disks[i]), MINOR(disks[i]));
	return len + sysfs_emit_at(buffer, len, "\n");
}

static const struct kernel_param_ops disks_ops = {
	.set = set_disks,
	.get = get_disks,
};

module_param_cb(disks, &disks_ops, NULL, 0644);
MODULE_PARM_DESC(disks, "only for files on these: major:minor,... (default: all)");

/* Writes of module parameters are serialised by the caller */
static int set_enable(const char *val, const struct kernel_param *kp)
{
	bool on;
	int err;

	err = kstrtobool(val, &on);
	if (err || on == enable)
		return err;
	if (ra_created) {
		err = on ? ra_start() : (ra_stop(), 0);
		if (err)
			return err;
	}
	enable = on;
	return 0;
}

static const struct kernel_param_ops enable_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_enable,
	.get = param_get_bool,
};

module_param_cb(enable, &enable_ops, &enable, 0644);
MODULE_PARM_DESC(enable, "ask for hints (default: off)");

static int __init ra_init(void)
{
	int err = ra_create();

	if (err)
		return err;
	kernel_param_lock(THIS_MODULE);
	ra_created = true;
	if (enable)
		err = ra_start();
	if (err) {
		pr_err("ml_readahead: cannot start: %d\n", err);
		enable = false;
	}
	kernel_param_unlock(THIS_MODULE);
	return 0;
}
late_initcall(ra_init);

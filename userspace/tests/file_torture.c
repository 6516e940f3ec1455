// SPDX-License-Identifier: GPL-2.0-only
/*
 * file_torture: readers of all kinds check every byte while their files are
 * written, cut, grown, deleted and made again. A word of a file tells where it
 * belongs and which write put it there, so that both a wrong place and an old
 * content show.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 4096
#define BLOCKS 1024
#define LIMIT ((size_t)BLOCK * BLOCKS)
#define PIECE 65536
#define FILES 3
/* Reads of a file between two changes of it */
#define READS 12
/* A block that is partly of one write and partly zero */
#define MIXED UINT32_MAX

enum kind { STREAM, STRIDE, BACK, RANDOM, SPLICE, MAPPED, DIRECT, NR_KINDS };

static const char *const kinds[] = { "stream", "stride", "back",  "random",
				     "splice", "mapped", "direct" };

struct file {
	char path[256];
	unsigned int id;
	/* Odd while the file is being changed */
	uint64_t sequence;
	uint64_t incarnation;
	size_t size;
	uint32_t newest; /* write */
	uint32_t wrote[BLOCKS]; /* 0: a hole */
	uint64_t reads;
	int shared; /* open for all stride and random readers */
};

struct reader {
	pthread_t thread;
	struct file *file;
	enum kind kind;
	uint64_t sure; /* reads whose every byte was known */
	uint64_t all;
};

static struct file files[FILES];
static bool stop;
static unsigned long wrong;
static _Thread_local sigjmp_buf beyond;

#define get(x) __atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define set(x, value) __atomic_store_n(&(x), value, __ATOMIC_SEQ_CST)
#define add(x, value) __atomic_add_fetch(&(x), value, __ATOMIC_SEQ_CST)

static unsigned int draw(unsigned int *seed, unsigned int n)
{
	return rand_r(seed) % n;
}

static void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	exit(71);
}

static uint64_t word(const struct file *f, size_t at, uint32_t write)
{
	return (uint64_t)write << 36 | (uint64_t)f->id << 32 | at / 8;
}

static void tell(const struct file *f, enum kind kind, size_t at,
		 const char *what, uint64_t is, uint64_t should)
{
	if (add(wrong, 1) <= 20)
		printf("# %s: %s at %zu: %s: 0x%llx, not 0x%llx\n", f->path,
		       kinds[kind], at, what, (unsigned long long)is,
		       (unsigned long long)should);
}

/* Are the words what they must be (@wrote), or what they may be (NULL)? */
static void check(const struct file *f, enum kind kind, size_t at,
		  const uint64_t *data, size_t len, const uint32_t *wrote)
{
	uint32_t newest = get(f->newest);
	size_t i;

	for (i = 0; i < len / 8; i++) {
		size_t here = at + i * 8;
		uint32_t write = wrote ? wrote[here / BLOCK - at / BLOCK] :
					 MIXED;
		uint64_t should = write ? word(f, here, write) : 0;

		if (write != MIXED) {
			if (data[i] != should) {
				tell(f, kind, here, "known word", data[i],
				     should);
				return;
			}
			continue;
		}
		if (data[i] &&
		    ((uint32_t)data[i] != (uint32_t)word(f, here, 0) ||
		     (data[i] >> 32 & 15) != f->id || data[i] >> 36 > newest)) {
			tell(f, kind, here, "possible word", data[i],
			     word(f, here, newest));
			return;
		}
	}
}

static void bus_error(int signal)
{
	(void)signal;
	siglongjmp(beyond, 1);
}

static ssize_t read_mapped(int fd, void *data, size_t len, size_t at)
{
	uint8_t *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, at);
	volatile size_t done = 0;

	if (map == MAP_FAILED)
		die("mmap");
	if (!sigsetjmp(beyond, 1)) {
		for (; done < len; done += BLOCK)
			memcpy((uint8_t *)data + done, map + done, BLOCK);
	}
	munmap(map, len);
	return done;
}

static ssize_t read_spliced(const int *pipes, int fd, void *data, size_t len,
			    size_t at)
{
	size_t done = 0;

	while (done < len) {
		loff_t from = at + done;
		ssize_t n = splice(fd, &from, pipes[1], NULL, len - done, 0);

		if (n < 0)
			return n;
		if (!n)
			break;
		while (n) {
			ssize_t got = read(pipes[0], (uint8_t *)data + done, n);

			if (got <= 0)
				die("pipe");
			done += got;
			n -= got;
		}
	}
	return done;
}

/* An open file, and which of the files that had the name it is; 0: unsure */
static int open_file(struct file *f, int flags, uint64_t *incarnation)
{
	uint64_t before = get(f->sequence), which = get(f->incarnation);
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | flags);

	*incarnation = before % 2 || get(f->sequence) != before ? 0 : which;
	return fd;
}

static void read_piece(struct reader *r, const int *pipes, int fd,
		       uint64_t incarnation, void *data, size_t at, size_t len)
{
	struct file *f = r->file;
	uint64_t before = get(f->sequence);
	bool sure = before % 2 == 0 && incarnation &&
		    get(f->incarnation) == incarnation;
	size_t size = get(f->size), have = 0, i;
	uint32_t wrote[PIECE / BLOCK];
	ssize_t n;

	for (i = 0; i < len / BLOCK; i++)
		wrote[i] = get(f->wrote[at / BLOCK + i]);
	if (r->kind == MAPPED)
		n = read_mapped(fd, data, len, at);
	else if (r->kind == SPLICE)
		n = read_spliced(pipes, fd, data, len, at);
	else
		n = pread(fd, data, len, at);
	if (n < 0) {
		tell(f, r->kind, at, "errno", errno, 0);
		return;
	}
	sure = sure && get(f->sequence) == before;
	if (at < size)
		have = size - at < len ? size - at : len;
	if (r->kind == MAPPED)
		have = (have + BLOCK - 1) / BLOCK * BLOCK;
	if (sure && (size_t)n != have)
		tell(f, r->kind, at, "length", n, have);
	check(f, r->kind, at, data, n, sure ? wrote : NULL);
	add(r->sure, sure && n);
	r->all++;
	add(f->reads, 1);
}

static size_t next_place(enum kind kind, unsigned int i, size_t *len,
			 unsigned int *seed)
{
	*len = BLOCK;
	switch (kind) {
	case STRIDE:
		return (size_t)i * 8 * BLOCK;
	case BACK:
		*len = 4 * BLOCK;
		return LIMIT - (size_t)(i + 1) * 16 * BLOCK;
	case RANDOM:
		return (size_t)draw(seed, BLOCKS) * BLOCK;
	default:
		*len = PIECE;
		return (size_t)i * PIECE;
	}
}

static void *read_all(void *arg)
{
	static const unsigned int pieces[NR_KINDS] = {
		[STREAM] = BLOCKS / 16, [STRIDE] = BLOCKS / 8,
		[BACK] = BLOCKS / 16,	[RANDOM] = 64,
		[SPLICE] = BLOCKS / 16, [MAPPED] = BLOCKS / 16,
		[DIRECT] = BLOCKS / 16,
	};
	struct reader *r = arg;
	unsigned int seed = r->file->id * 16 + r->kind, i;
	int pipes[2];
	void *data;

	if (posix_memalign(&data, BLOCK, PIECE) || pipe(pipes))
		die("reader");
	while (!get(stop)) {
		uint64_t incarnation;
		int fd = open_file(r->file, r->kind == DIRECT ? O_DIRECT : 0,
				   &incarnation);

		if (fd < 0) {
			if (errno != ENOENT)
				die(r->file->path);
			continue;
		}
		for (i = 0; i < pieces[r->kind] && !get(stop); i++) {
			size_t len, at = next_place(r->kind, i, &len, &seed);

			read_piece(r, pipes, fd, incarnation, data, at, len);
			/* By the open file that another reader uses, too */
			if (r->kind == STRIDE || r->kind == RANDOM)
				read_piece(r, pipes, get(r->file->shared), 0,
					   data, at, len);
		}
		close(fd);
	}
	close(pipes[0]);
	close(pipes[1]);
	free(data);
	return NULL;
}

static void write_blocks(struct file *f, unsigned int first, unsigned int nr,
			 bool direct)
{
	size_t at = (size_t)first * BLOCK, len = (size_t)nr * BLOCK, i;
	int fd = open(f->path, O_WRONLY | O_CREAT | (direct ? O_DIRECT : 0),
		      0600);
	uint64_t *data;
	void *memory;

	if (fd < 0 || posix_memalign(&memory, BLOCK, len))
		die(f->path);
	data = memory;
	add(f->newest, 1);
	for (i = 0; i < len / 8; i++)
		data[i] = word(f, at + i * 8, f->newest);
	if (pwrite(fd, data, len, at) != (ssize_t)len)
		die("pwrite");
	for (i = first; i < first + nr; i++)
		set(f->wrote[i], f->newest);
	if (f->size < at + len)
		set(f->size, at + len);
	free(data);
	close(fd);
}

static void resize(struct file *f, size_t size)
{
	size_t i;

	if (truncate(f->path, size))
		die("truncate");
	if (size < f->size) {
		for (i = (size + BLOCK - 1) / BLOCK; i < BLOCKS; i++)
			set(f->wrote[i], 0);
		if (size % BLOCK)
			set(f->wrote[size / BLOCK], MIXED);
	}
	set(f->size, size);
}

static void renew(struct file *f)
{
	if (unlink(f->path))
		die("unlink");
	set(f->size, 0);
	memset(f->wrote, 0, sizeof(f->wrote));
	write_blocks(f, 0, BLOCKS, false);
	set(f->incarnation, f->incarnation + 1);
}

/* Out of the page cache, what is dirty included */
static void forget(const struct file *f)
{
	int fd = open(f->path, O_RDONLY);

	if (fd < 0 || fdatasync(fd) ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("forget");
	close(fd);
}

static void change(struct file *f, unsigned int *seed)
{
	unsigned int first = draw(seed, BLOCKS - 64);

	add(f->sequence, 1);
	switch (draw(seed, 8)) {
	case 0:
		resize(f, (size_t)draw(seed, BLOCKS) * BLOCK);
		break;
	case 1:
		resize(f, draw(seed, LIMIT) / 8 * 8);
		break;
	case 2:
		resize(f, LIMIT);
		break;
	case 3:
		write_blocks(f, first, 1 + draw(seed, 64), true);
		break;
	case 4 ... 5:
		write_blocks(f, first, 1 + draw(seed, 64), false);
		break;
	case 6:
		renew(f);
		break;
	case 7:
		write_blocks(f, 0, BLOCKS, false);
		break;
	}
	if (draw(seed, 2))
		forget(f);
	add(f->sequence, 1);
}

struct changer {
	pthread_t thread;
	struct file *file;
	unsigned int rounds;
};

static void *change_all(void *arg)
{
	struct changer *c = arg;
	struct file *f = c->file;
	unsigned int seed = f->id + 1000;

	/* For this thread alone: readers are many, and are to be disturbed */
	if (nice(-19) == -1)
		die("nice");
	while (c->rounds--) {
		uint64_t reads = get(f->reads);

		change(f, &seed);
		while (get(f->reads) < reads + READS)
			usleep(1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = bus_error };
	static struct reader readers[FILES][NR_KINDS];
	static struct changer changers[FILES];
	uint64_t sure[NR_KINDS] = {}, all[NR_KINDS] = {};
	int i, k, bad = 0;

	if (argc != 3 || atoi(argv[2]) <= 0) {
		fprintf(stderr, "usage: file_torture DIR CHANGES\n");
		return 64;
	}
	sigaction(SIGBUS, &action, NULL);
	for (i = 0; i < FILES; i++) {
		struct file *f = &files[i];

		f->id = i;
		f->incarnation = 1;
		snprintf(f->path, sizeof(f->path), "%s/torture.%d", argv[1], i);
		write_blocks(f, 0, BLOCKS, false);
		forget(f);
		f->shared = open(f->path, O_RDONLY);
		if (f->shared < 0)
			die(f->path);
	}
	for (i = 0; i < FILES; i++) {
		for (k = 0; k < NR_KINDS; k++) {
			struct reader *r = &readers[i][k];

			*r = (struct reader){ .file = &files[i], .kind = k };
			if (pthread_create(&r->thread, NULL, read_all, r))
				die("thread");
		}
		changers[i].file = &files[i];
		changers[i].rounds = atoi(argv[2]);
		if (pthread_create(&changers[i].thread, NULL, change_all,
				   &changers[i]))
			die("thread");
	}
	for (i = 0; i < FILES; i++)
		pthread_join(changers[i].thread, NULL);
	/* Now that nothing changes any more, each reads something for sure */
	for (i = 0; i < FILES; i++)
		for (k = 0; k < NR_KINDS; k++)
			while (get(readers[i][k].sure) < 4)
				usleep(1000);
	set(stop, true);
	for (i = 0; i < FILES; i++) {
		for (k = 0; k < NR_KINDS; k++) {
			pthread_join(readers[i][k].thread, NULL);
			sure[k] += readers[i][k].sure;
			all[k] += readers[i][k].all;
		}
		unlink(files[i].path);
	}
	for (k = 0; k < NR_KINDS; k++) {
		printf("# %s: %llu reads, %llu of known bytes\n", kinds[k],
		       (unsigned long long)all[k], (unsigned long long)sure[k]);
		bad |= !sure[k];
	}
	printf("# %lu wrong\n", wrong);
	return bad || wrong;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small helpers without a home of their own: sizes, ownership hand-over, cleanup.
 *
 *	w5_auto(freep) char *p = strdup(s);     freed on every return ...
 *	*out = take_ptr(p);                     ... unless handed over
 */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define w5_auto(fn) __attribute__((cleanup(fn)))

/* The value, and NULL left behind: the one place where an owner changes. */
#define take_ptr(p)                         \
	__extension__({                     \
		__typeof__(p) taken_ = (p); \
		(p) = NULL;                 \
		taken_;                     \
	})

static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

static inline void freep(void *p)
{
	void **pp = p;

	free(*pp);
	*pp = NULL;
}

static inline void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
	*f = NULL;
}

/*
 * Room for one more element in an array of n that has cap: twice as much, or first. 0, or -ENOMEM and
 * nothing is changed. v: the array's pointer, of whatever type.
 */
#define array_room(v, cap, n, first) array_room_of(&(v), cap, n, first, sizeof(*(v)))

static inline int array_room_of(void *v, size_t *cap, size_t n, size_t first, size_t size)
{
	size_t more = *cap ? 2 * *cap : first;
	void *p;

	if (n < *cap)
		return 0;
	memcpy(&p, v, sizeof(p));
	p = realloc(p, more * size);
	if (!p)
		return -ENOMEM;
	memcpy(v, &p, sizeof(p));
	*cap = more;
	return 0;
}

static inline size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t max_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif

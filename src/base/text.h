/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text out of untrusted bytes, addresses and times. Nothing allocates; every
 * function writes a NUL-terminated string that fits cap (cap >= 1) and returns
 * its length in bytes.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

/* Printable ASCII passes; everything else, and '\\', becomes \xNN. Never cuts an escape. */
size_t text_escape(char *out, size_t cap, const void *in, size_t len);
/* As a JSON string's inside (RFC 8259 7): '"' and '\\' escaped, control bytes \u00NN,
 * valid UTF-8 passes, each invalid byte becomes \ufffd. */
size_t text_json(char *out, size_t cap, const void *in, size_t len);

#define TEXT_ADDR_MAX	  48 /* "[" IPv6 "]" NUL */
#define TEXT_ENDPOINT_MAX 56 /* with ":65535" */
/* v4-mapped prints as IPv4; IPv6 has brackets only where a port follows. */
size_t text_addr(char *out, size_t cap, const struct w5_addr *a);
size_t text_endpoint(char *out, size_t cap, const struct w5_addr *a, uint16_t port);
/* Of an attempt: a local socket's path, or its end if it is too long: "unix:/run/app.sock". */
size_t text_upstream(char *out, size_t cap, const struct w5_leg *l);
size_t text_path(char *out, size_t cap, const uint8_t *path, size_t len);
/* The same of a listener: all zero is any address, "*:80". */
size_t text_listener(char *out, size_t cap, const struct w5_addr *a, uint16_t port);

#define TEXT_TIME_MAX 32
/* RFC 3339, UTC, microseconds: 2026-11-22T12:06:21.341402Z */
size_t text_time_utc(char *out, size_t cap, uint64_t wall_ns);
/* Local time of day, milliseconds: 12:06:21.341 */
size_t text_time_of_day(char *out, size_t cap, uint64_t wall_ns);
/* 0.402 ms, 60.0 s, 3 min: at most 9 characters */
size_t text_duration(char *out, size_t cap, uint64_t ns);
/* 41, 4.1k, 12M */
size_t text_count(char *out, size_t cap, uint64_t n);
/* ECONNREFUSED; a number the C library has no name for prints as a number. */
size_t text_errno(char *out, size_t cap, unsigned int err);

/* What stands behind the noun: "1 exchange", "2 exchanges". */
static inline const char *text_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers out of text a person typed. 0, or -EINVAL for anything that is not
 * wholly such a number or does not fit; *out changes only on success.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

int parse_digits(const char *s, const char *end, uint64_t *out); /* [s, end): digits only */
int parse_bytes(const char *s, uint64_t *out);			 /* 4096, 64M, 1g */
int parse_seconds(const char *s, uint64_t *ns);			 /* 1.5; at most 9 decimals */
int parse_pair(const char *s, uint64_t out[2]);			 /* 80x24 */

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of header fields and parameters, and which of them hold secrets. Part of mask.h. */
#ifndef BASE_MASK_NAME_H
#define BASE_MASK_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_KEPT 32 /* of a name, its end: every word looked for is shorter */

/* Letters and digits alone, in lower case: access_token, Access-Token and access[token] are
 * one. Of a long name its end is kept. */
struct mask_name {
	char s[NAME_MAX_KEPT];
	size_t n;	/* valid in s[] */
	bool is_longer; /* than what is kept */
};

void mask_name_put(struct mask_name *w, uint8_t c);
struct mask_name mask_name_of(const uint8_t *p, size_t len);
bool mask_name_ends(const struct mask_name *w, const char *word);
bool mask_name_is_param(const struct mask_name *w);
bool mask_name_is_field(const struct mask_name *w);

#endif

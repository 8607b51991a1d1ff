/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Header blocks from bytes: the first byte says whether the conn is known from its start, then
 * blocks of one length byte each. Whatever came before, a literal is read.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hpack.h"

struct seen {
	size_t fields, sum;
	int status;
};

static void on_field(void *self, const struct hpack_field *f)
{
	struct seen *s = self;

	for (size_t i = 0; i < f->name_len; i++)
		s->sum += f->name[i];
	for (size_t i = 0; i < f->value_len; i++)
		s->sum += f->value[i];
	s->fields++;
	if (f->name_len == 7 && !memcmp(f->name, ":status", 7) && f->value_len == 3)
		s->status =
			(f->value[0] - '0') * 100 + (f->value[1] - '0') * 10 + f->value[2] - '0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t literal[] = { 0x08, 3, '5', '0', '2' };
	struct seen s = { 0 };
	struct hpack *h;
	int err;

	if (!size || hpack_new(&h, data[0] & 1))
		return 0;
	if (data[0] & 2)
		hpack_table_size(h, (uint32_t)data[0] << 8);
	for (data++, size--; size;) {
		size_t n = data[0];
		uint8_t *block;

		data++, size--;
		if (n > size)
			n = size;
		block = malloc(n ? n : 1); /* its own, so that one byte too far is seen */
		if (!block)
			break;
		memcpy(block, data, n);
		err = hpack_decode(h, block, n, on_field, &s);
		free(block);
		assert(!err || err == -EBADMSG);
		data += n, size -= n;
	}
	s.status = 0;
	err = hpack_decode(h, literal, sizeof(literal), on_field, &s);
	/* Only a table size that was announced, and must come first, may be in its way. */
	assert(!err && s.status == 502);
	hpack_free(h);
	return 0;
}

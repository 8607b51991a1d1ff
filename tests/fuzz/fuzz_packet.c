/* SPDX-License-Identifier: BSD-2-Clause */
/* A kept packet from bytes, its sizes among them: parsed, put into words, shown as hex. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/tcpopt.h"
#include "base/util.h"
#include "sink/packet_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_base base = { .has_own = true, .has_peer = true, .own = 1, .peer = 2 };
	struct w5_packet pkt = { .len = 0 };
	struct packet p;
	uint8_t *copy;
	char text[200];

	if (size < 4)
		return 0;
	pkt.len = data[0] | (uint32_t)data[1] << 8;
	pkt.cap = (uint16_t)(data[2] | data[3] << 8);
	data += 4, size -= 4;
	memcpy(pkt.data, data, min_size(size, sizeof(pkt.data)));
	assert(packet_kept(&pkt) <= sizeof(pkt.data));
	for (size_t off = 0; packet_hex_text(text, sizeof(text), &pkt, off); off += 16)
		assert(off < sizeof(pkt.data) && strlen(text) <= 74);
	copy = malloc(size ? size : 1); /* its own, so that one byte too far is seen */
	assert(copy);
	memcpy(copy, data, size);
	assert(tcpopt_text(text, sizeof(text), copy, size, 0) == strlen(text));
	if (!packet_parse(&p, copy, size, size))
		assert(!p.payload_cap || p.payload_off + p.payload_cap <= size);
	free(copy);
	if (packet_parse(&p, pkt.data, packet_kept(&pkt), pkt.len))
		return 0;
	packet_net_text(text, sizeof(text), &pkt, &p);
	packet_tcp_text(text, sizeof(text), &p, &base);
	packet_options_text(text, sizeof(text), &pkt, &p, &base);
	assert(strlen(text) < sizeof(text));
	return 0;
}

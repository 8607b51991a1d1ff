/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of IPv4, IPv6 and TCP headers. Every read goes through get8/get16/get32,
 * which refuse to leave the kept bytes; nothing here keeps or frees memory.
 */
#include "base/packet.h"

#include <errno.h>
#include <string.h>

#define IPPROTO_TCP_NR 6
#define TCP_OPT_END    0
#define TCP_OPT_NOP    1
#define TCP_OPT_MSS    2
#define TCP_OPT_SACK   5
/* IPv6 extension headers in a row; more is not seen outside attacks */
#define IPV6_EXT_MAX   8

struct bytes {
	const uint8_t *p;
	size_t cap;
};

static bool get8(const struct bytes *b, size_t off, uint8_t *v)
{
	if (off >= b->cap)
		return false;
	*v = b->p[off];
	return true;
}

static bool get16(const struct bytes *b, size_t off, uint16_t *v)
{
	if (b->cap < 2 || off > b->cap - 2)
		return false;
	*v = (uint16_t)(b->p[off] << 8 | b->p[off + 1]);
	return true;
}

static bool get32(const struct bytes *b, size_t off, uint32_t *v)
{
	if (b->cap < 4 || off > b->cap - 4)
		return false;
	*v = (uint32_t)b->p[off] << 24 | (uint32_t)b->p[off + 1] << 16 |
	     (uint32_t)b->p[off + 2] << 8 | b->p[off + 3];
	return true;
}

static bool get_addr4(const struct bytes *b, size_t off, struct w5_addr *a)
{
	if (b->cap < 4 || off > b->cap - 4)
		return false;
	memset(a, 0, sizeof(*a));
	a->ip[10] = a->ip[11] = 0xff;
	memcpy(&a->ip[12], b->p + off, 4);
	return true;
}

static bool get_addr6(const struct bytes *b, size_t off, struct w5_addr *a)
{
	if (b->cap < 16 || off > b->cap - 16)
		return false;
	memcpy(a->ip, b->p + off, 16);
	return true;
}

static int parse_ipv4(struct packet *out, const struct bytes *b, size_t *end)
{
	uint16_t total, frag;
	uint8_t vihl, proto;

	if (!get8(b, 0, &vihl) || !get16(b, 2, &total) || !get16(b, 4, &out->ip_id) ||
	    !get16(b, 6, &frag) || !get8(b, 8, &out->ttl) || !get8(b, 9, &proto) ||
	    !get_addr4(b, 12, &out->src) || !get_addr4(b, 16, &out->dst))
		return -ENODATA;
	if ((vihl & 0xf) < 5)
		return -EBADMSG;
	if (proto != IPPROTO_TCP_NR || (frag & 0x1fff))
		return -EPROTONOSUPPORT;
	out->tcp_off = (size_t)(vihl & 0xf) * 4;
	if (total && total < out->tcp_off)
		return -EBADMSG;
	*end = total; /* 0: the kernel's oversized (BIG TCP) packets */
	return 0;
}

static int parse_ipv6(struct packet *out, const struct bytes *b, size_t *end)
{
	size_t off = 40;
	uint16_t plen;
	uint8_t next;

	if (!get16(b, 4, &plen) || !get8(b, 6, &next) || !get8(b, 7, &out->ttl) ||
	    !get_addr6(b, 8, &out->src) || !get_addr6(b, 24, &out->dst))
		return -ENODATA;
	for (int i = 0; i < IPV6_EXT_MAX && next != IPPROTO_TCP_NR; i++) {
		uint8_t ext = next, len;

		/* hop-by-hop, routing, fragment, destination options (RFC 8200 4) */
		if (ext != 0 && ext != 43 && ext != 44 && ext != 60)
			return -EPROTONOSUPPORT;
		if (!get8(b, off, &next) || !get8(b, off + 1, &len))
			return -ENODATA;
		if (ext == 44) {
			uint16_t frag;

			if (!get16(b, off + 2, &frag))
				return -ENODATA;
			if (frag & 0xfff8)
				return -EPROTONOSUPPORT;
			len = 0;
		}
		off += 8 + (size_t)len * 8;
	}
	if (next != IPPROTO_TCP_NR)
		return -EPROTONOSUPPORT;
	out->tcp_off = off;
	*end = plen ? 40 + (size_t)plen : 0;
	return 0;
}

/* A block that is below what is acknowledged tells of a duplicate (RFC 2883 4). */
static void parse_sack(struct packet *out, const struct bytes *b, size_t off, size_t end)
{
	uint32_t left, right;

	for (; off + 8 <= end && get32(b, off, &left) && get32(b, off + 4, &right); off += 8)
		if (packet_seq_cmp(left, out->ack) > 0 && packet_seq_cmp(right, left) > 0)
			out->sacked += right - left;
}

static void parse_options(struct packet *out, const struct bytes *b, size_t off, size_t end)
{
	while (off < end) {
		uint8_t kind, len;

		if (!get8(b, off, &kind) || kind == TCP_OPT_END)
			return;
		if (kind == TCP_OPT_NOP) {
			off++;
			continue;
		}
		if (!get8(b, off + 1, &len) || len < 2)
			return;
		if (kind == TCP_OPT_MSS && len == 4 && off + 4 <= end)
			get16(b, off + 2, &out->mss);
		if (kind == TCP_OPT_SACK && off + len <= end)
			parse_sack(out, b, off + 2, off + len);
		off += len;
	}
}

static int parse_tcp(struct packet *out, const struct bytes *b)
{
	size_t off = out->tcp_off;
	uint8_t doff;

	if (!get16(b, off, &out->sport) || !get16(b, off + 2, &out->dport) ||
	    !get32(b, off + 4, &out->seq) || !get32(b, off + 8, &out->ack) ||
	    !get8(b, off + 12, &doff) || !get8(b, off + 13, &out->tcp_flags) ||
	    !get16(b, off + 14, &out->win))
		return -ENODATA;
	doff >>= 4;
	if (doff < 5)
		return -EBADMSG;
	out->payload_off = off + (size_t)doff * 4;
	parse_options(out, b, off + 20, out->payload_off);
	return 0;
}

int packet_parse(struct packet *out, const void *data, size_t cap, size_t wire_len)
{
	struct bytes b = { .p = data, .cap = cap < wire_len ? cap : wire_len };
	struct packet p = { 0 };
	size_t end = 0;
	uint8_t first;
	int err;

	if (!get8(&b, 0, &first))
		return -ENODATA;
	p.ip_version = first >> 4;
	if (p.ip_version == 4)
		err = parse_ipv4(&p, &b, &end);
	else if (p.ip_version == 6)
		err = parse_ipv6(&p, &b, &end);
	else
		err = -EBADMSG;
	if (err)
		return err;
	err = parse_tcp(&p, &b);
	if (err)
		return err;
	/* what follows the datagram (padding) is not payload */
	if (!end || end > wire_len)
		end = wire_len;
	if (end > p.payload_off)
		p.payload_len = end - p.payload_off;
	if (b.cap > p.payload_off)
		p.payload_cap = b.cap - p.payload_off;
	if (p.payload_cap > p.payload_len)
		p.payload_cap = p.payload_len;
	*out = p;
	return 0;
}

const char *packet_flags_name(uint8_t f)
{
	static const struct {
		uint8_t mask, want;
		const char *name;
	} names[] = {
		{ .mask = W5_TCP_RST | W5_TCP_ACK, .want = W5_TCP_RST, .name = "RST" },
		{ .mask = W5_TCP_RST, .want = W5_TCP_RST, .name = "RST-ACK" },
		{ .mask = W5_TCP_SYN | W5_TCP_ACK,
		  .want = W5_TCP_SYN | W5_TCP_ACK,
		  .name = "SYN-ACK" },
		{ .mask = W5_TCP_SYN, .want = W5_TCP_SYN, .name = "SYN" },
		{ .mask = W5_TCP_FIN, .want = W5_TCP_FIN, .name = "FIN" },
		{ .mask = W5_TCP_ACK, .want = W5_TCP_ACK, .name = "ACK" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((f & names[i].mask) == names[i].want)
			return names[i].name;
	return "none";
}

int packet_seq_cmp(uint32_t a, uint32_t b)
{
	int32_t d = (int32_t)(a - b);

	return d < 0 ? -1 : d > 0;
}

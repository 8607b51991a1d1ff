/* SPDX-License-Identifier: BSD-2-Clause */
/* UDP sockets of a process, from /proc. */
#ifndef KERNEL_UDP_H
#define KERNEL_UDP_H

#include <stddef.h>
#include <stdint.h>

/* The first of these ports (host order) that a UDP socket of the process is bound to; 0 = none. */
uint16_t udp_port_of(uint32_t tgid, const uint16_t *ports, size_t n);

#endif

/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Go's register ABI (ABIInternal, since 1.17 on amd64, 1.18 on arm64): where the running
 * goroutine, the first arguments and the first result are. Stable since, documented in Go's
 * src/cmd/compile/abi-internal.md.
 */
#ifndef BPF_GOREGS_H
#define BPF_GOREGS_H

#if defined(__TARGET_ARCH_x86)
#define GO_G(regs)    ((regs)->r14)
#define GO_ARG1(regs) ((regs)->ax)
#define GO_ARG2(regs) ((regs)->bx)
#define GO_ARG3(regs) ((regs)->cx)
#define GO_RES1(regs) ((regs)->ax)
#elif defined(__TARGET_ARCH_arm64)
#define GO_G(regs)    (((struct user_pt_regs *)(regs))->regs[28])
#define GO_ARG1(regs) (((struct user_pt_regs *)(regs))->regs[0])
#define GO_ARG2(regs) (((struct user_pt_regs *)(regs))->regs[1])
#define GO_ARG3(regs) (((struct user_pt_regs *)(regs))->regs[2])
#define GO_RES1(regs) (((struct user_pt_regs *)(regs))->regs[0])
#else
#define GO_G(regs)    0
#define GO_ARG1(regs) 0
#define GO_ARG2(regs) 0
#define GO_ARG3(regs) 0
#define GO_RES1(regs) 0
#endif

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel function that programs call, where the kernel has it. libbpf before 1.3 compares its
 * declaration with the kernel's for the whole object, whoever is loaded of it, and refuses the
 * object where the two differ, also in what does not matter: so they are made alike before.
 */
#ifndef KERNEL_KFUNC_H
#define KERNEL_KFUNC_H

#include <stdbool.h>

struct bpf_object;
struct btf;

/* Makes the object's declaration fit the kernel's; false: the kernel has none that fits. */
bool kfunc_fit(const struct bpf_object *obj, const struct btf *vmlinux, const char *name);
/* From now on the object declares none of that name. */
void kfunc_hide(const struct bpf_object *obj, const char *name);

#endif

// SPDX-License-Identifier: Apache-2.0
// The only door to Xen's public ABI headers (libxen-dev): their C idioms stay behind it.
// Freestanding.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The toolstack's view: it selects the latest interface version by itself.
#define __XEN_TOOLS__ 1

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include <xen/xen.h>

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/hvm_vcpu.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#pragma GCC diagnostic pop

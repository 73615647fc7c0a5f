// SPDX-License-Identifier: Apache-2.0
// Xen's libraries have C headers that do not say so. No other file includes them.
#pragma once

#include <cstdbool>
#include <cstdint>

extern "C" {
#include <xenctrl.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenguest.h>
#include <xenstore.h>
#include <xentoollog.h>
}

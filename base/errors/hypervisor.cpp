// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::qemu_missing, ErrorCode::not_found, "qemu-missing",
     "there is no QEMU to run the hypervisor in",
     "qemu-system-x86_64 is not in PATH, or XL_QEMU names what cannot be executed.",
     "On Debian: `apt install qemu-system-x86`. XL_QEMU chooses another one. An xld that runs "
     "keeps the PATH that it was started with: `xl daemon stop` after a change."},
    {ErrorId::hypervisor_image_missing, ErrorCode::not_found, "hypervisor-image-missing",
     "the file of the hypervisor is not there",
     "hypervisor.elf lies neither beside xld nor where xl++ was to be installed.",
     "Build or install all of xl++, or set XL_HYPERVISOR to its path."},
    {ErrorId::hypervisor_machine_invalid, ErrorCode::invalid_argument, "hypervisor-machine-invalid",
     "the hypervisor cannot have such a machine",
     "Memory that is less than 32 MiB or no multiple of 2 MiB, or more CPUs than 32.",
     "Correct XLD_MEMORY_MIB or XLD_CPUS (xld's --memory-mib, --cpus), or leave them out."},
    {ErrorId::hypervisor_not_started, ErrorCode::hypervisor_gone, "hypervisor-not-started",
     "the hypervisor did not come up",
     "QEMU ended at once, and the message has its last words: a QEMU without microvm or SVM, "
     "memory that the host does not have, a limit. Or the hypervisor found something that it "
     "cannot work with.",
     "`xl doctor` finds what QEMU lacks. hypervisor.log in the runtime directory has all that QEMU "
     "said."},
    {ErrorId::hypervisor_slow_start, ErrorCode::timeout, "hypervisor-slow-start",
     "the hypervisor was not ready in time",
     "The machine is far too busy, or swaps, or QEMU hangs.",
     "Try again when there is less to do; `xl doctor` tells how long a start takes here."},
    {ErrorId::hypervisor_version, ErrorCode::protocol, "hypervisor-version",
     "hypervisor and xld do not belong together",
     "The parts are of different versions: one was built or installed without the other, or the "
     "hypervisor that runs was started by another version.",
     "Build or install all of xl++. If domains run on the old one: end them with `xl daemon stop "
     "--all`."},
    {ErrorId::hypervisor_died, ErrorCode::hypervisor_gone, "hypervisor-died",
     "the hypervisor has ended, with all domains",
     "QEMU was killed (by a user, or by the kernel when memory ran out: `dmesg` says so), or the "
     "hypervisor panicked: `xl dmesg` has its last words, hypervisor.log QEMU's.",
     "The next create starts another one. A panic is worth a bug report."},
    {ErrorId::hypervisor_silent, ErrorCode::hypervisor_gone, "hypervisor-silent",
     "the hypervisor does not answer",
     "QEMU is stopped, the machine is far too busy, or the hypervisor hangs.",
     "Look whether the qemu-system-x86_64 process is stopped (`kill -CONT` lets it run on). `xl "
     "daemon stop --all` ends it, with its domains."},
    {ErrorId::hypervisor_in_use, ErrorCode::busy, "hypervisor-in-use",
     "a process that is not known has this hypervisor",
     "An earlier hypervisor of the runtime directory has not ended, or another daemon uses it.",
     "Try again in a moment. If it stays, end the qemu-system-x86_64 process that the message "
     "speaks of."},
    {ErrorId::hypervisor_bad_answer, ErrorCode::protocol, "hypervisor-bad-answer",
     "what the hypervisor answered makes no sense",
     "A bug in the hypervisor or in xld, or one that is not of this version.",
     "Build or install all of xl++; if it stays, it is worth a bug report with the output of `xl "
     "dmesg`."},
    {ErrorId::xen_missing, ErrorCode::not_supported, "xen-missing",
     "this machine does not run on Xen",
     "--hypervisor=xen (XLD_HYPERVISOR=xen) asks for the real Xen, and this is no domain 0: no "
     "Xen was booted, this is one of its guests, or xenfs is not mounted on /proc/xen.",
     "Boot the host with Xen (on Debian: `apt install xen-system-amd64`), or let xl++ use its own "
     "hypervisor: --hypervisor=bundled."},
    {ErrorId::xen_module_missing, ErrorCode::not_found, "xen-module-missing",
     "the part of xl++ that drives Xen cannot be loaded",
     "xl-hypervisor-xen.so is not where it was to be installed, is of another build than xld, or "
     "lacks Xen's libraries; the message says which.",
     "Install Xen's libraries (on Debian: `apt install libxenmisc4.17 libxenstore4`) and all of "
     "xl++ from one build; XL_XEN_MODULE names the module's file. --hypervisor=bundled does "
     "without Xen."},
    {ErrorId::xen_version_mismatch, ErrorCode::protocol, "xen-version-mismatch",
     "the Xen that runs is not the one that xl++ was built for",
     "Xen's control interface changes with each version, and Xen takes requests of its own only.",
     "Install the xl++ that was built for the Xen that runs, or boot the Xen that it was built "
     "for."},
    {ErrorId::xen_not_usable, ErrorCode::not_supported, "xen-not-usable",
     "Xen or its domain 0 lacks what a PVH domain needs",
     "The kernel's drivers for Xen are not loaded, xenstored does not run, this domain may not "
     "control others, or the machine has no hardware-assisted paging; the message says which.",
     "The message says what to start, load or enable."},
};

}  // namespace

const ErrorChapter hypervisor = {
    "The hypervisor", "It runs inside QEMU, as a process of its own, from the first domain on.",
    rows};

}  // namespace xl::errors

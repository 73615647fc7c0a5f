// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::no_such_domain, ErrorCode::not_found, "no-such-domain", "there is no such domain",
     "No domain has this name or domid: it has ended, was renamed, or another xld (other user, "
     "other XL_RUNTIME_DIR) has it.",
     "`xl list` shows those that there are; `xl events` what became of the others."},
    {ErrorId::name_taken, ErrorCode::already_exists, "name-taken", "another domain has this name",
     "A name means one domain.",
     "Choose another one (`name=...` behind the config file), or `xl destroy` or `xl rename` the "
     "other domain."},
    {ErrorId::uuid_taken, ErrorCode::already_exists, "uuid-taken", "another domain has this UUID",
     "The same config was used twice, and it has a `uuid`.",
     "Leave `uuid` out: each domain then gets a new one."},
    {ErrorId::domain_busy, ErrorCode::busy, "domain-busy", "the domain is being made or ended",
     "Another command is at work on it.", "Try again in a moment."},
    {ErrorId::domain_paused, ErrorCode::busy, "domain-paused",
     "the domain is paused and cannot answer", "What was asked needs its kernel to run.",
     "`xl unpause` it first."},
    {ErrorId::domain_shut_down, ErrorCode::busy, "domain-shut-down",
     "the domain has shut down already",
     "It still exists because its config says `preserve`, or for another moment.",
     "`xl destroy` frees it."},
    {ErrorId::domain_zero, ErrorCode::not_supported, "domain-zero", "Domain-0 is the host itself",
     "Its life is the host's and not xl's; its memory and CPUs are Xen's to give on a Xen host only.",
     "Name a guest; `xl vm-list` leaves Domain-0 out."},
    {ErrorId::guest_no_answer, ErrorCode::timeout, "guest-no-answer",
     "the guest did not take the request in time",
     "Its kernel has no driver for it, has not come up yet, hangs, or has nothing to run on.",
     "`xl wait DOMAIN --for=booted` before; `xl console` shows what it does; -F of shutdown and "
     "reboot, `xl trigger` and `xl destroy` work without it."},
    {ErrorId::guest_memory_absent, ErrorCode::invalid_argument, "guest-memory-absent",
     "the domain has no memory at this place",
     "Its kernel gave the page away (a balloon driver, or one that moved its shared pages), or "
     "never had it.",
     "`xl reboot` or `xl destroy` the domain; if it is a stock kernel, it is worth a bug report."},
    {ErrorId::no_such_vcpu, ErrorCode::invalid_argument, "no-such-vcpu",
     "the domain has no such vcpu", "Vcpus are numbered from 0 to `maxvcpus` less 1.",
     "`xl vcpu-list DOMAIN` shows them."},
    {ErrorId::vcpus_out_of_range, ErrorCode::invalid_argument, "vcpus-out-of-range",
     "the domain cannot have so many vcpus",
     "At least one, at most its `maxvcpus`, and without -i not more than the host has CPUs.",
     "Choose another number, or make the domain with a larger `maxvcpus`."},
    {ErrorId::vcpus_late, ErrorCode::timeout, "vcpus-late",
     "the guest has not brought all vcpus up or down in time",
     "Its kernel has taken the request, and something in the guest does not follow: no udev rule "
     "brings a new vcpu online, or a vcpu is in use that should go. The request stands.",
     "`xl vcpu-list DOMAIN` shows how far it is. In a Linux guest, write 1 to "
     "/sys/devices/system/cpu/cpuN/online; xl(1) has a udev rule under vcpu-set."},
    {ErrorId::vcpu_offline, ErrorCode::busy, "vcpu-offline", "the vcpu is offline",
     "The guest has not brought it up, or has taken it down.",
     "`xl vcpu-set` asks the guest for more; `xl vcpu-list` shows their states."},
    {ErrorId::cpus_not_on_host, ErrorCode::invalid_argument, "cpus-not-on-host",
     "none of the CPUs is one of this host",
     "An affinity has to leave at least one CPU that is there.",
     "`xl info nr_cpus` prints how many there are; they count from 0."},
    {ErrorId::not_enough_memory, ErrorCode::no_memory, "not-enough-memory",
     "there is not so much memory free",
     "Domains have it, or may still demand what was promised to them.",
     "`xl info free_memory` prints what is free, `xl list` who has it. Give this or another domain "
     "less, or the hypervisor's machine more (XLD_MEMORY_MIB, before it starts)."},
    {ErrorId::memory_out_of_range, ErrorCode::invalid_argument, "memory-out-of-range",
     "the domain cannot have so much or so little memory",
     "It can have no more than the `maxmem` it was made with, no less than any kernel needs, and "
     "its limit is not below what it is asked to have.",
     "The message has the bound. A larger `maxmem` needs the domain to be made anew."},
    {ErrorId::share_out_of_range, ErrorCode::invalid_argument, "share-out-of-range",
     "this is no weight or cap of the scheduler",
     "A weight is from 1 to 65535, a cap a percentage of one CPU: 0 for none, at most "
     "100 for each of its vcpus.",
     "256 is the weight of a domain that says nothing; `xl sched-credit2` shows those of all."},
    {ErrorId::trigger_unknown, ErrorCode::invalid_argument, "trigger-unknown",
     "there is no such trigger", "Triggers are nmi, reset, init, power, sleep and s3resume.",
     "`xl help trigger` lists them."},
    {ErrorId::trigger_impossible, ErrorCode::not_supported, "trigger-impossible",
     "a PVH domain cannot take this trigger", "It has no buttons and no firmware.",
     "`xl shutdown` and `xl reboot` ask its kernel; `xl trigger DOMAIN reset` reboots it without."},
    {ErrorId::sysrq_wrong, ErrorCode::invalid_argument, "sysrq-wrong", "this is no SysRq",
     "A SysRq is one letter or digit.",
     "Write for instance `xl sysrq DOMAIN s`. What each does is in Linux's sysrq.rst."},
    {ErrorId::domain_ended_badly, ErrorCode::interrupted, "domain-ended-badly",
     "the domain did not end well",
     "It crashed, ended by a triple fault, was destroyed, or ended before what was waited for. The "
     "message has the last line of its console.",
     "`xl events` tells what came when; the console's log is in the runtime directory; `xl dmesg` "
     "says whether the hypervisor ended it."},
    {ErrorId::wait_too_long, ErrorCode::timeout, "wait-too-long",
     "what was waited for did not come in time",
     "The domain takes longer than --timeout, or does not get there at all.",
     "`xl console DOMAIN` shows what it does; give more time."},
    {ErrorId::overtaken, ErrorCode::interrupted, "overtaken",
     "a later request took this one's place",
     "Another command asked the same guest for another number of vcpus.",
     "Look what is now (`xl vcpu-list`), and ask again if need be."},
    {ErrorId::cancelled, ErrorCode::interrupted, "cancelled", "it was called off",
     "The client went away, or xld is about to end. Everything that was done until then was "
     "undone.",
     "Call it again."},
    {ErrorId::console_ended, ErrorCode::not_found, "console-ended",
     "the console has ended with its domain",
     "The domain does not exist any more, or not for long.",
     "The console's log in the runtime directory keeps what it printed."},
    {ErrorId::console_full, ErrorCode::busy, "console-full", "the domain does not read its console",
     "What was typed waits and there is no room for more: the guest hangs, is paused, or has no "
     "console driver.",
     "`xl list` shows whether it runs."},
    {ErrorId::no_dump_folder, ErrorCode::not_supported, "no-dump-folder",
     "there is no folder for core files", "xld was given none.",
     "Start it with --dump-dir, or write the file with `xl dump-core DOMAIN FILE`."},
};

}  // namespace

const ErrorChapter domains = {"Domains", "What a domain, or what is asked of it, refuses.", rows};

}  // namespace xl::errors

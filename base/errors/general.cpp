// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::invalid_argument, ErrorCode::invalid_argument, "invalid-argument",
     "a value cannot be used", "A value in the request cannot be, or not here.",
     "The message has the value, and what it may be."},
    {ErrorId::invalid_config, ErrorCode::invalid_config, "invalid-config",
     "a config cannot be used", "A value in it cannot be.", "xl.cfg(5) says what each key takes."},
    {ErrorId::invalid_image, ErrorCode::invalid_image, "invalid-image",
     "a kernel or ramdisk cannot be used", "The file is not what it should be.",
     "`xl inspect FILE` prints what is seen in it."},
    {ErrorId::not_found, ErrorCode::not_found, "not-found", "something is not there",
     "It does not exist, or not any more.", "The message names it."},
    {ErrorId::already_exists, ErrorCode::already_exists, "already-exists",
     "something is there already", "A name or number is taken.", "Choose another one."},
    {ErrorId::permission_denied, ErrorCode::permission_denied, "permission-denied",
     "something is not allowed", "The hypervisor or the host's kernel refuses it.",
     "The message says what was being done."},
    {ErrorId::not_supported, ErrorCode::not_supported, "not-supported",
     "this is known, and not possible here", "PVH domains, or this hypervisor, do not have it.",
     "The message says what to use instead."},
    {ErrorId::no_memory, ErrorCode::no_memory, "no-memory", "there is not enough memory",
     "The hypervisor or the host has not enough.",
     "`xl info free_memory` prints what the hypervisor has; `xl doctor` looks at the host."},
    {ErrorId::limit, ErrorCode::limit, "limit", "a fixed bound was reached",
     "There is no more of it.", "The message says what of; end what is not needed."},
    {ErrorId::busy, ErrorCode::busy, "busy", "not now", "Something else is at work.",
     "Try again in a moment."},
    {ErrorId::timeout, ErrorCode::timeout, "timeout", "it took too long",
     "The machine is too busy, or a peer hangs.",
     "Try again; `xl daemon status` tells whether the hypervisor answers."},
    {ErrorId::io, ErrorCode::io, "io", "the system or a peer failed",
     "A system call failed, and the message has its reason.",
     "Look at what the message names; xld's log (`xl daemon status`) may say more."},
    {ErrorId::protocol, ErrorCode::protocol, "protocol", "a peer said what it must not",
     "Parts of different versions, or a bug.",
     "Install all of xl++ in one version; `xl doctor` compares them."},
    {ErrorId::hypervisor_gone, ErrorCode::hypervisor_gone, "hypervisor-gone",
     "the hypervisor died or hangs", "QEMU was killed, or the hypervisor stopped.",
     "`xl dmesg` and hypervisor.log in the runtime directory have its last words; the next create "
     "starts another."},
    {ErrorId::interrupted, ErrorCode::interrupted, "interrupted", "it was called off",
     "The client, or another request, ended it.", "Call it again."},
    {ErrorId::internal, ErrorCode::internal, "internal", "a bug",
     "xl++ met something that it was sure could not be.",
     "It is worth a bug report, with the message and xld's log."},
};

}  // namespace

const ErrorChapter general = {"Others",
                              "What belongs to none of the above; the message says all that is "
                              "known. Each class of errors (`code` in the API) has one of these.",
                              rows};

}  // namespace xl::errors

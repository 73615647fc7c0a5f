// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::daemon_missing, ErrorCode::not_found, "daemon-missing", "there is no xld to start",
     "xl looks for xld beside itself, in libexec, or where $XLD says, and found nothing that can "
     "be executed.",
     "Install all of xl++, or set XLD to the path of xld."},
    {ErrorId::daemon_not_started, ErrorCode::io, "daemon-not-started",
     "xld was started and ended at once",
     "The message has xld's own last words: a wrong option in the environment, a directory that it "
     "cannot write to, a log that it cannot open.",
     "Do what the message says; `xl doctor` checks everything that xld needs, and its log (xld.log "
     "in the runtime directory) may say more."},
    {ErrorId::daemon_not_running, ErrorCode::not_found, "daemon-not-running", "xld does not run",
     "Nobody listens at the socket in the runtime directory, and the command does not start one.",
     "`xl daemon start`. If it should be running: XL_RUNTIME_DIR, XDG_RUNTIME_DIR and the user "
     "have to be those that it was started with."},
    {ErrorId::daemon_already_runs, ErrorCode::busy, "daemon-already-runs",
     "another xld serves this runtime directory",
     "One xld at a time serves a directory, and it holds a lock there.",
     "Use the one that runs, end it with `xl daemon stop`, or choose another directory with "
     "XL_RUNTIME_DIR."},
    {ErrorId::daemon_stopping, ErrorCode::busy, "daemon-stopping", "xld is about to end",
     "`xl daemon stop` was called a moment ago, and nothing new is begun.",
     "Call the command again: it starts another xld."},
    {ErrorId::daemon_went_away, ErrorCode::io, "daemon-went-away",
     "xld ended, or hung up, before it had answered",
     "It was killed or it crashed. Domains do not depend on it and run on.",
     "Call the command again; xl starts another xld, which finds all domains. Its log (`xl daemon "
     "status` names it) may say why it ended: that is worth a bug report."},
    {ErrorId::daemon_bad_answer, ErrorCode::protocol, "daemon-bad-answer",
     "what xld answered makes no sense",
     "xl and xld are of different versions, or something else listens at the socket.",
     "Restart xld: `xl daemon stop`, and it is started again when it is needed. `xl doctor` "
     "compares the versions."},
    {ErrorId::daemon_bad_option, ErrorCode::invalid_argument, "daemon-bad-option",
     "an option of xld is wrong",
     "On xld's command line or in a variable of the environment that stands for an option "
     "(XLD_MEMORY_MIB, XLD_CPUS, XLD_LOG_LEVEL, ...).",
     "`xld --help` and xld(8) list options, variables and what they may be."},
    {ErrorId::socket_of_another_user, ErrorCode::permission_denied, "socket-of-another-user",
     "the socket belongs to another user's process",
     "Somebody else listens in this runtime directory. xl gives its requests to nobody but this "
     "user and root.",
     "Set XL_RUNTIME_DIR to a directory that is only yours."},
    {ErrorId::runtime_dir_unsafe, ErrorCode::permission_denied, "runtime-dir-unsafe",
     "others could write to the runtime directory",
     "It belongs to another user, or its mode lets others write. They could put their own socket "
     "there.",
     "`chmod go-w` it, remove it (xl makes it anew), or set XL_RUNTIME_DIR to another one."},
    {ErrorId::runtime_dir_invalid, ErrorCode::invalid_argument, "runtime-dir-invalid",
     "the runtime directory cannot be one",
     "The path that XL_RUNTIME_DIR or --runtime-dir gives is no directory, is not absolute, or is "
     "too long.",
     "Give the absolute path of a directory, or of one that can be made."},
};

}  // namespace

const ErrorChapter daemon = {"xl and its daemon",
                             "xl does its work by xld, which it starts when it is needed.", rows};

}  // namespace xl::errors

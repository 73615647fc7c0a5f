// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::file_missing, ErrorCode::not_found, "file-missing", "a file or a folder is not there",
     "A part of the path does not exist.", "Look at the path in the message."},
    {ErrorId::access_denied, ErrorCode::permission_denied, "access-denied",
     "the kernel does not allow it",
     "The file's or folder's mode, an LSM (AppArmor, SELinux) or a read-only mount.",
     "`ls -ld` of the path in the message; xl needs no root, but files that it may read and a "
     "runtime directory that it may write to."},
    {ErrorId::disk_full, ErrorCode::io, "disk-full", "there is no space left",
     "The file system, or the quota of this user, is used up. Memory of a tmpfs counts too.",
     "`df` and `df -i` of the path in the message; remove what is not needed."},
    {ErrorId::too_many_files, ErrorCode::io, "too-many-files", "there are too many open files",
     "The limit of the process (RLIMIT_NOFILE) or of the system is reached.",
     "Raise the hard limit (`ulimit -Hn`, LimitNOFILE= of the unit); `xl doctor` prints it."},
    {ErrorId::host_out_of_memory, ErrorCode::no_memory, "host-out-of-memory",
     "the host has no memory for it",
     "All is in use, or a limit (RLIMIT_AS, a cgroup) holds the process down.",
     "`xl doctor` shows memory and limits. XLD_MEMORY_MIB makes the hypervisor's machine smaller."},
};

}  // namespace

const ErrorChapter system = {
    "The system",
    "What the host's kernel refused; the message says what was being done, with which file.", rows};

}  // namespace xl::errors

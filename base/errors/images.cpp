// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::image_missing, ErrorCode::not_found, "image-missing",
     "the kernel or the ramdisk is not there",
     "There is no file of the name that the config gives. Relative names start in the directory in "
     "which xl was called.",
     "Correct `kernel` or `ramdisk`, or call xl in the right directory."},
    {ErrorId::image_not_a_file, ErrorCode::invalid_image, "image-not-a-file",
     "what the config names is no regular file",
     "The name is that of a directory, a device or a FIFO.", "Give the path of the file itself."},
    {ErrorId::kernel_no_entry, ErrorCode::invalid_image, "kernel-no-entry",
     "the kernel has no entry that a PVH domain can start at",
     "It has no ELF note XEN_ELFNOTE_PHYS32_ENTRY (Linux: CONFIG_PVH), or one that points at "
     "nothing that is loaded.",
     "Use a kernel built with CONFIG_PVH=y; Debian's and most distributions' kernels are."},
    {ErrorId::kernel_format, ErrorCode::invalid_image, "kernel-format",
     "this is no kernel that can be booted",
     "The file is neither an ELF file for x86 nor a bzImage; or a module, an object file, a core "
     "dump, a kernel for another machine.",
     "Give the vmlinux or the bzImage (vmlinuz). `xl inspect FILE` prints what it is."},
    {ErrorId::kernel_damaged, ErrorCode::invalid_image, "kernel-damaged",
     "the kernel or its compressed payload is damaged",
     "It is truncated, a checksum is wrong, or its headers contradict each other. Often the copy "
     "or download was not complete.",
     "Compare it with where it comes from (size, checksum), and copy or build it again."},
    {ErrorId::kernel_too_large, ErrorCode::invalid_image, "kernel-too-large",
     "the file is larger than a kernel can be",
     "There is a bound on what is read, so that no file can take all of xld's memory.",
     "Look whether it is the right file; strip debugging information off a vmlinux."},
    {ErrorId::image_changed, ErrorCode::invalid_image, "image-changed",
     "the file was changed while it was read",
     "Something writes to the file, such as an installation or a build.",
     "Try again when that has ended."},
    {ErrorId::kernel_layout, ErrorCode::invalid_image, "kernel-layout",
     "the kernel cannot lie where it wants to",
     "Its segments overlap each other or the pages that the domain needs for itself.",
     "Build it for another physical address (Linux: CONFIG_PHYSICAL_START)."},
    {ErrorId::guest_memory_too_small, ErrorCode::no_memory, "guest-memory-too-small",
     "kernel and ramdisk do not fit into the domain's memory",
     "What has to be loaded ends beyond the memory that the config gives.",
     "Raise `memory`. `xl -v create -n FILE` prints the layout."},
    {ErrorId::ramdisk_empty, ErrorCode::invalid_image, "ramdisk-empty", "the ramdisk is empty",
     "The file has no byte: it was not written, or not to its end.",
     "Make it anew, or leave `ramdisk` out."},
    {ErrorId::command_line_wrong, ErrorCode::invalid_argument, "command-line-wrong",
     "the kernel's command line cannot be passed on",
     "It is longer than a kernel takes, or has a NUL byte.",
     "Shorten `cmdline`, `root` and `extra`."},
};

}  // namespace

const ErrorChapter images = {
    "Kernels and ramdisks",
    "`xl inspect FILE` prints what is seen in a kernel, and whether it can boot.", rows};

}  // namespace xl::errors

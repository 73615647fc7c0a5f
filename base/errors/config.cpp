// SPDX-License-Identifier: Apache-2.0
#include "base/errors/chapters.hpp"

namespace xl::errors {
namespace {

constexpr ErrorRow rows[] = {
    {ErrorId::config_missing, ErrorCode::not_found, "config-missing",
     "the config file is not there", "There is no file of the name that was given.",
     "Look at the path. It starts in the directory in which xl was called."},
    {ErrorId::config_syntax, ErrorCode::invalid_config, "config-syntax",
     "the config is not one of its format",
     "A quote or a bracket that is not closed, a line that assigns nothing, text that is not "
     "UTF-8, a file that is no config at all.",
     "Correct what the caret points at. xl.cfg(5) has the grammar; a file that ends in .yaml, "
     ".json or .xml is read as that."},
    {ErrorId::config_unknown_key, ErrorCode::invalid_config, "config-unknown-key",
     "the config has a key that is not known",
     "It is misspelt, or of another tool; with --strict that is an error, else a warning.",
     "Take the one that the hint offers, or remove it; xl.cfg(5) lists all keys."},
    {ErrorId::config_unsupported, ErrorCode::invalid_config, "config-unsupported",
     "the config asks for what a PVH domain cannot have",
     "The key or the value is known, and belongs to PV or HVM domains, or to something that is not "
     "there yet; the message has the reason.",
     "Remove it, or do what the hint says. xl.cfg(5) has the answer to each key."},
    {ErrorId::config_value, ErrorCode::invalid_config, "config-value",
     "a value in the config cannot be",
     "It is of the wrong kind (a list for a number), outside its range, or none of the words that "
     "the key takes. Values are taken exactly, never by their beginning.",
     "Write what the message or its hint says; xl.cfg(5) has kind and range of each key."},
    {ErrorId::config_contradiction, ErrorCode::invalid_config, "config-contradiction",
     "two keys of the config contradict each other",
     "Each for itself could be: `maxmem` below `memory`, `maxvcpus` below `vcpus`, one name for "
     "two disks.",
     "Change one of the two, or leave one out. Words behind the file (`memory=512`) take the place "
     "of what the file says."},
    {ErrorId::config_device, ErrorCode::invalid_config, "config-device",
     "the specification of a device is wrong",
     "A disk, a vif or another device in the config has a parameter that is not known, lacks one, "
     "or has one twice.",
     "Correct what the caret points at. xl-devices(5) describes "
     "them; `xl -N block-attach DOMAIN SPEC` shows how one is read."},
    {ErrorId::config_incomplete, ErrorCode::invalid_config, "config-incomplete",
     "the config lacks what each domain needs, or is none at all",
     "There is no `name` or no `kernel`, or the file is far too long to be a config.",
     "Add the key, in the file or behind it (`kernel=PATH`), or name the right file."},
    {ErrorId::config_cpus, ErrorCode::invalid_config, "config-cpus",
     "`cpus` or `cpus_soft` leaves a vcpu no CPU",
     "None of the CPUs is one of this host, or `vm.cpumask` in xl.conf keeps all of them away.",
     "`xl info nr_cpus` prints how many CPUs there are; they count from 0. \"all\" fits every "
     "host."},
    {ErrorId::host_config_wrong, ErrorCode::invalid_config, "host-config-wrong",
     "xl.conf cannot be read",
     "The file that XL_CONF names, or /etc/xen/xl.conf, is a directory or on a disk that fails.",
     "Look at the path in the message, or set XL_CONF to another one."},
    {ErrorId::device_wrong, ErrorCode::invalid_argument, "device-wrong",
     "this is no such name or address of a device",
     "A virtual disk's name, a MAC address or a PCI address that cannot be.",
     "The hint shows how it is written; xen-vbd-interface(7) has the names of disks."},
    {ErrorId::cpu_list_wrong, ErrorCode::invalid_argument, "cpu-list-wrong",
     "this is no list of CPUs",
     "A word that is neither a number, a range nor `all`, a number that no host has, or a list "
     "that takes away all that it gives.",
     "Write for instance `0-3,5`, `all`, or `all,^1` for all but CPU 1."},
};

}  // namespace

const ErrorChapter config = {
    "Configurations", "What is found in a config has file, line and column in the message itself.",
    rows};

}  // namespace xl::errors

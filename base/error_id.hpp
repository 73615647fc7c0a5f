// SPDX-License-Identifier: Apache-2.0
// ErrorCode: the class of an error, which says what a caller can do with it (exit status, HTTP
// status). ErrorId: which error it is, one family of messages; docs/errors.md has the cause and the
// cure of each. Names are stable; what has gone is not used again.
#pragma once

#include <cstdint>
#include <string_view>

namespace xl {

enum class ErrorCode {
  invalid_argument,  // the caller's value is wrong
  invalid_config,    // a configuration file or override is wrong
  invalid_image,     // a kernel or ramdisk cannot be used
  not_found,         // no such domain, file, key
  already_exists,    // the name is taken
  permission_denied,
  not_supported,  // known, and not possible here
  no_memory,      // the hypervisor or host has not enough
  limit,          // a fixed bound was reached
  busy,           // try again
  timeout,
  io,               // a system call or a peer failed
  protocol,         // a peer sent what the protocol does not allow
  hypervisor_gone,  // the hypervisor died or hangs
  interrupted,      // cancelled by the caller
  internal,         // a bug
};

// The table of errors/ says what each means. A new one needs its row there, and docs/errors.md made
// anew: `ninja -C build update-errors`.
enum class ErrorId : std::uint16_t {
  // --- one for each ErrorCode, in the same order: errors that belong to no other family ---
  invalid_argument,
  invalid_config,
  invalid_image,
  not_found,
  already_exists,
  permission_denied,
  not_supported,
  no_memory,
  limit,
  busy,
  timeout,
  io,
  protocol,
  hypervisor_gone,
  interrupted,
  internal,
  // --- the command line ---
  bad_usage,
  unknown_command,
  command_refused,
  output_lost,
  not_a_terminal,
  // --- xl and its daemon ---
  daemon_missing,
  daemon_not_started,
  daemon_not_running,
  daemon_already_runs,
  daemon_stopping,
  daemon_went_away,
  daemon_bad_answer,
  daemon_bad_option,
  socket_of_another_user,
  runtime_dir_unsafe,
  runtime_dir_invalid,
  // --- the hypervisor ---
  qemu_missing,
  hypervisor_image_missing,
  hypervisor_machine_invalid,
  hypervisor_not_started,
  hypervisor_slow_start,
  hypervisor_version,
  hypervisor_died,
  hypervisor_silent,
  hypervisor_in_use,
  hypervisor_bad_answer,
  xen_missing,
  xen_module_missing,
  xen_version_mismatch,
  xen_not_usable,
  // --- configurations ---
  config_missing,
  config_syntax,
  config_unknown_key,
  config_unsupported,
  config_value,
  config_contradiction,
  config_device,
  config_incomplete,
  config_cpus,
  host_config_wrong,
  device_wrong,
  cpu_list_wrong,
  // --- kernels and ramdisks ---
  image_missing,
  image_not_a_file,
  kernel_no_entry,
  kernel_format,
  kernel_damaged,
  kernel_too_large,
  image_changed,
  kernel_layout,
  guest_memory_too_small,
  ramdisk_empty,
  command_line_wrong,
  // --- domains ---
  no_such_domain,
  name_taken,
  uuid_taken,
  domain_busy,
  domain_paused,
  domain_shut_down,
  domain_zero,
  guest_no_answer,
  guest_memory_absent,
  no_such_vcpu,
  vcpus_out_of_range,
  vcpus_late,
  vcpu_offline,
  cpus_not_on_host,
  not_enough_memory,
  memory_out_of_range,
  share_out_of_range,
  trigger_unknown,
  trigger_impossible,
  sysrq_wrong,
  domain_ended_badly,
  wait_too_long,
  overtaken,
  cancelled,
  console_ended,
  console_full,
  no_dump_folder,
  // --- the API ---
  bad_request,
  no_such_path,
  method_not_allowed,
  request_too_large,
  request_too_slow,
  too_many_connections,
  daemon_out_of_memory,
  // --- the system ---
  file_missing,
  access_denied,
  disk_full,
  too_many_files,
  host_out_of_memory,
};
inline constexpr ErrorId last_error_id = ErrorId::host_out_of_memory;

ErrorCode code_of(ErrorId id);
// The id of the errors of a class that have none of their own.
constexpr ErrorId general_id(ErrorCode code) {
  return static_cast<ErrorId>(code);
}
// Stable lower-case name ("no-such-domain"), for people and on the wire.
std::string_view to_string(ErrorId id);

}  // namespace xl

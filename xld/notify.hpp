// SPDX-License-Identifier: Apache-2.0
// Tells whoever started the daemon how it is: xl through a pipe, systemd by sd_notify(3)'s
// protocol.
#pragma once

#include <optional>

namespace xl::daemon {

void notify_ready(std::optional<int> ready_fd);
void notify_stopping();

}  // namespace xl::daemon

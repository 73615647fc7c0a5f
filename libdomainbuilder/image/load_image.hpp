// SPDX-License-Identifier: Apache-2.0
// load_image of a file that is already open, for the cache, which has to know what it opened.
#pragma once

#include <memory>

#include "libdomainbuilder/image/image.hpp"
#include "libdomainbuilder/image/image_file.hpp"

namespace xl::build {

Result<std::shared_ptr<const Image>> load_image(const OpenFile& file);

}  // namespace xl::build

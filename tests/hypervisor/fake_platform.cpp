// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor/fake_platform.hpp"

template class hyp::Hypervisor<hyp::test::FakePlatform>;
template class hyp::Frames<hyp::test::FakePlatform>;

// SPDX-License-Identifier: Apache-2.0
#include "tests/hypervisor/fake_platform.hpp"

hyp::Result<hyp::PhysmapEntry> hyp::test::FakePlatform::touch(Vcpu<FakePlatform>& vcpu, Gfn gfn) {
  return hypervisor->touch(vcpu, gfn);
}

template class hyp::Hypervisor<hyp::test::FakePlatform>;
template class hyp::Frames<hyp::test::FakePlatform>;

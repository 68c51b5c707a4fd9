/** What the manual leaves open, as switches of the stand-in. */

export interface QiniuSwitches {
  readonly checksSignatures: boolean;
  /** The manual's error table says 0 to 10, its table of parameters 1 to 60. */
  readonly intervalBounds: readonly [number, number];
  /** Frames without a finding are shown too. */
  readonly keepsEmptyFrames: boolean;
  readonly errorBody: 'code and error' | 'error' | 'code and message';
  readonly callbacks: 'once' | 'dropped' | 'twice';
  readonly callbackScheme: 'none' | 'QBox' | 'Qiniu';
  /** Jobs take the detour over RESCHEDULED. */
  readonly reschedules: boolean;
}

/** What is most likely where nothing is documented. */
export const defaultSwitches: QiniuSwitches = {
  checksSignatures: true,
  intervalBounds: [0, 10],
  keepsEmptyFrames: false,
  errorBody: 'code and error',
  callbacks: 'once',
  callbackScheme: 'none',
  reschedules: false,
};

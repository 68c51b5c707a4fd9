/** All vendors, one line each. Everything that concerns services iterates this list. */
import type { Catalogue } from '../domain/service.ts';
import { pai } from './pai/index.ts';
import { qiniu } from './qiniu/index.ts';

export const catalogue: Catalogue = [pai, qiniu];
